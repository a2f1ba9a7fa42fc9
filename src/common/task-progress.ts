import { SingleBar } from 'cli-progress';
import { logsJson, say } from './log.js';

/** Seconds between lines if there is no terminal. */
const LINE_INTERVAL = 5;

export interface TaskProgress {
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
}

/** Shows how far a preparation is: a bar on a terminal, a line every few seconds elsewhere. To stderr. */
export function taskProgress(what: string): TaskProgress {
  return process.stderr.isTTY && !logsJson() ? barOf(what) : linesOf(what);
}

function barOf(what: string): TaskProgress {
  const bar = new SingleBar({
    format: `${what} [{bar}] {value}/{total}`,
    hideCursor: true,
    clearOnComplete: true,
  });
  let started = false;
  return {
    update(done, total) {
      // What was done by an earlier run is no progress to show.
      if (!started && done === total) return;
      if (!started) bar.start(total, done);
      started = true;
      bar.update(done);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

function linesOf(what: string): TaskProgress {
  let last = performance.now();
  return {
    update(done, total) {
      if (performance.now() - last < LINE_INTERVAL * 1000) return;
      last = performance.now();
      say(`${what}: ${done} of ${total}`);
    },
    stop: () => undefined,
  };
}

/** Shows how many things were found so far, if that takes long: a line every few seconds. To stderr. */
export function countProgress(what: string, things: string): (found: number) => void {
  let last = performance.now();
  return (found) => {
    if (performance.now() - last < LINE_INTERVAL * 1000) return;
    last = performance.now();
    say(`${what}: ${found.toLocaleString('en')} ${things} so far`);
  };
}
