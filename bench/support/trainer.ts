import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StepRecord } from '../../src/run/step-record.js';

export const COORDINATOR = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** What Node needs to be given for a run in `folder`, which has to be new. */
export function trainerArguments(folder: string, args: readonly string[]): string[] {
  return [COORDINATOR, ...args, '--run-dir', folder, '--no-http'];
}

/** Starts a run in `folder`, which has to be new. */
export function startTrainer(folder: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, trainerArguments(folder, args), { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Waits for a run to end, and returns its steps. */
export async function stepsOf(trainer: ChildProcess, folder: string): Promise<StepRecord[]> {
  const [code] = (await once(trainer, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the trainer ended with code ${String(code)}`);
  return readSteps(folder);
}

export function stepLogOf(folder: string): string {
  return join(folder, 'stats.jsonl');
}

export function readSteps(folder: string): StepRecord[] {
  const lines = readFileSync(stepLogOf(folder), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as StepRecord);
}
