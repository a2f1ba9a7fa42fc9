import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { linesOf, numbersOf, workersOf } from '../support/step-watch.js';
import { startTrainer, stepsOf } from '../support/trainer.js';

/** What killing a worker again and again costs a run, in steps (Linux); see README.md. */

const { values } = parseArgs({
  options: {
    architecture: { type: 'string', default: 'tutorial' },
    batch: { type: 'string', default: '128' },
    workers: { type: 'string', default: '2' },
    steps: { type: 'string', default: '200' },
    every: { type: 'string', default: '10' },
  },
});

const STEPS = Number(values.steps);
const EVERY = Number(values.every);
const folder = mkdtempSync(join(tmpdir(), 'bench-kills-'));

interface Outcome {
  /** From the end of the first step to that of the last. */
  readonly seconds: number;
  readonly kills: number;
  readonly losses: readonly string[];
}

try {
  const quiet = await train('quiet', false);
  const killed = await train('killed', true);
  const step = quiet.seconds / (STEPS - 1);
  const cost = (killed.seconds - quiet.seconds) / killed.kills;
  console.log(
    `${STEPS} steps of ${values.architecture}, batch ${values.batch}, ${values.workers} workers, ` +
      `a worker killed every ${EVERY} steps`,
  );
  console.log(`quiet          ${quiet.seconds.toFixed(1)} s, ${step.toFixed(2)} s a step`);
  console.log(`with ${killed.kills} kills  ${killed.seconds.toFixed(1)} s`);
  console.log(`a kill costs   ${cost.toFixed(2)} s, ${(cost / step).toFixed(2)} steps`);
  const same = quiet.losses.every((line, index) => line === killed.losses[index]);
  console.log(same ? 'the losses are the same' : 'THE LOSSES DIFFER');
  if (!same) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function train(name: string, kill: boolean): Promise<Outcome> {
  const run = join(folder, name);
  const trainer = startTrainer(run, [
    ...['--workers', values.workers, '--architecture', values.architecture],
    ...['--batch-size', values.batch, '--steps', values.steps],
    ...['--sample-every', '0', '--checkpoint-every', '100'],
  ]);
  const ended = stepsOf(trainer, run);
  let [first, last, kills] = [0, 0, 0];
  for (let done = 0; done < STEPS;) {
    await pause(5);
    const now = linesOf(run).length;
    if (now === done) {
      if (trainer.exitCode !== null) break;
      continue;
    }
    done = now;
    last = performance.now();
    first ||= last;
    if (kill && done >= (kills + 1) * EVERY && done <= STEPS - EVERY && killOne(trainer, kills)) kills++;
  }
  await ended;
  return { seconds: (last - first) / 1000, kills, losses: linesOf(run).map(numbersOf) };
}

/** Each time another one, as far as it goes. */
function killOne(trainer: ChildProcess, turn: number): boolean {
  const workers = workersOf(trainer);
  const pid = workers.at(turn % workers.length);
  return pid !== undefined && process.kill(pid, 'SIGKILL');
}
