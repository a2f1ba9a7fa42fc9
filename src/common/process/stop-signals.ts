import { offHangup, onHangup } from '#hangup';
import { followsNpm } from '#npm-parent';
import type { StopSignal } from './signal-exit.js';

/** Milliseconds within which the same signal again is npm's copy of it: see followsNpm(). */
const COPY_TIME = 1_000;

const ALL: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Calls the listener at each signal that asks the process to stop: Ctrl-C, SIGTERM, and hangups unless they are to be
 * ignored. `isInsisted`: Ctrl-C or SIGTERM has come before. A hangup never insists, nor is it insisted on: a terminal that
 * closes sends several, and systems that log a user out add a SIGTERM. Returns a function that gives the signals their
 * usual meaning back.
 */
export function onStopSignals(listener: (signal: StopSignal, isInsisted: boolean) => void): () => void {
  const last = new Map<StopSignal, number>();
  const receive = (signal: StopSignal): void => {
    const now = performance.now();
    const isCopy = followsNpm() && now - (last.get(signal) ?? -Infinity) < COPY_TIME;
    const isLate = signal === 'SIGHUP' && last.size > 0;
    const isInsisted = last.has('SIGINT') || last.has('SIGTERM');
    last.set(signal, now);
    if (!isCopy && !isLate) listener(signal, isInsisted);
  };
  process.on('SIGINT', receive).on('SIGTERM', receive);
  onHangup(receive);
  return () => {
    process.off('SIGINT', receive).off('SIGTERM', receive);
    offHangup(receive);
  };
}

/**
 * Ignores every signal that asks to stop: each reaches the whole process group, and the parent decides when a child process
 * ends. The child must end by itself when its parent is gone.
 */
export function leaveSignalsToParent(): void {
  for (const signal of ALL) process.on(signal, () => undefined);
}
