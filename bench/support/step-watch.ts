import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { childrenOf } from './process-tree.js';
import { stepLogOf } from './trainer.js';

/** The lines of a run's step log so far. */
export function linesOf(run: string): string[] {
  try {
    return readFileSync(stepLogOf(run), 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

/** Waits until a run has logged a step; false where the trainer has ended before. */
export async function reached(trainer: ChildProcess, run: string, step: number): Promise<boolean> {
  while (linesOf(run).length < step) {
    if (trainer.exitCode !== null) return false;
    await pause(5);
  }
  return true;
}

/** The worker processes of a trainer, oldest first. */
export function workersOf(trainer: ChildProcess): number[] {
  return childrenOf(trainer.pid ?? 0)
    .filter((pid) => isWorker(pid))
    .sort((one, other) => one - other);
}

function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker/main');
  } catch {
    return false; // It has ended.
  }
}

/** What of a logged step was computed, and not measured. */
export function numbersOf(line: string): string {
  const { step, discriminatorLoss, generatorLoss, realScore, fakeScoreBefore, fakeScoreAfter } = JSON.parse(
    line,
  ) as Record<string, number>;
  return [step, discriminatorLoss, generatorLoss, realScore, fakeScoreBefore, fakeScoreAfter].join(' ');
}
