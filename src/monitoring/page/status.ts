import type { RunSnapshot } from './api.js';
import { ask, Refused } from './connection.js';
import { duration, element, figure, setText } from './dom.js';

const SPOKEN: Readonly<Record<RunSnapshot['state'], string>> = {
  waiting: 'waiting for workers',
  training: 'training',
  paused: 'paused',
  stopping: 'stopping',
  done: 'done',
  ended: 'ended',
};

/** Header of a single run. */
export function showStatus(run: RunSnapshot, isConnected: boolean): void {
  const isLive = isConnected || run.state === 'done' || run.state === 'ended';
  const state = element('state');
  setText(state, isLive ? SPOKEN[run.state] : 'no connection, trying again');
  state.dataset['state'] = isLive ? run.state : '';
  setText(element('name'), run.name);
  document.title = `${run.name}: ${SPOKEN[run.state]}`;
  const count = (value: number): string => value.toLocaleString('en');
  setText(
    element('step'),
    run.totalSteps ? `${count(run.step)} of ${count(run.totalSteps)}` : count(run.step),
  );
  setText(element('epoch'), run.epoch ? String(run.epoch) : '–');
  setText(element('rate'), figure(run.imagesPerSecond, 3));
  setText(element('left'), duration(run.secondsLeft));
  element<HTMLProgressElement>('progress').value = run.totalSteps ? run.step / run.totalSteps : 0;
  setText(element('pause'), run.state === 'paused' ? 'Resume' : 'Pause');
  const canAct = isConnected && (run.state === 'training' || run.state === 'paused');
  element<HTMLButtonElement>('pause').disabled = !canAct;
  element<HTMLButtonElement>('stop').disabled = !canAct && !(isConnected && run.state === 'waiting');
  showFault(run.fault);
}

function showFault(fault: string | null): void {
  const notice = element('notice');
  if (fault !== null) setText(notice, fault);
  notice.hidden = fault === null;
}

/** Pause, resume and stop. */
export function armButtons(state: () => RunSnapshot['state']): void {
  element('control').hidden = false;
  const act = (path: string): void => {
    ask(path, { method: 'POST' }).catch((error: unknown) => {
      showFault(error instanceof Refused ? error.message : 'The coordinator does not answer.');
    });
  };
  element('pause').addEventListener('click', () => {
    act(state() === 'paused' ? '/api/resume' : '/api/pause');
  });
  element('stop').addEventListener('click', () => {
    if (confirm('End the run after this step, with a checkpoint?')) act('/api/stop');
  });
}
