import { rmSync, statSync } from 'node:fs';
import { median } from '../support/median.js';
import { runProgram } from '../support/program.js';
import { readSteps, stepLogOf, trainerArguments } from '../support/trainer.js';
import { runPeer, type Interpreters, type Peer } from './peers.js';
import type { Device, Row } from './rows.js';

export interface Work {
  readonly architecture: string;
  /** Images of a step, over all processes. */
  readonly batch: number;
  /** That are timed. */
  readonly steps: number;
}

/** One run of a row. */
export interface Measured {
  /** The median over the steps. */
  readonly imagesPerSecond: number;
  /** From the command to the end of the first step. */
  readonly firstStepSeconds: number;
  /** Of the largest process. */
  readonly peakMebibytes: number;
  readonly version: string;
}

/** What a peer's script prints. */
interface PeerResult {
  readonly imagesPerSecond: number;
  /** Seconds since 1970. */
  readonly firstStepAt: number;
  readonly version: string;
}

/** The first steps build kernels and fill caches, in any program. */
const WARM_UP = 3;
const SLOW = { warmUp: 1, steps: 2 };

export async function runRow(
  row: Row,
  work: Work,
  interpreters: Interpreters,
  /** A new one, for what a run leaves. */
  folder: string,
): Promise<Measured> {
  const { warmUp, steps } = row.slow ? SLOW : { warmUp: WARM_UP, steps: work.steps };
  const args = [...row.args, '--architecture', work.architecture];
  if (row.program === 'trainer')
    return runTrainer(row, [...args, '--batch-size', String(work.batch)], { warmUp, steps }, folder);
  return runPeerRow(row.program, interpreters, row, [
    ...[...args, '--batch', String(work.batch)],
    ...['--warm-up', String(warmUp), '--steps', String(steps)],
  ]);
}

/** Where the CPU computes, no program may find a GPU. */
export function environmentOf(device: Device): NodeJS.ProcessEnv {
  return device === 'cpu' ? { CUDA_VISIBLE_DEVICES: '' } : {};
}

async function runTrainer(
  { device }: Row,
  args: readonly string[],
  { warmUp, steps }: { warmUp: number; steps: number },
  folder: string,
): Promise<Measured> {
  let firstStepAt: number | undefined;
  const all = [...args, '--steps', String(warmUp + steps), '--sample-every', '0', '--checkpoint-every', '0'];
  const { startedAt, peakMebibytes } = await runProgram(process.execPath, trainerArguments(folder, all), {
    env: environmentOf(device),
    look: () => {
      if (logged(folder)) firstStepAt ??= Date.now();
    },
  });
  const timed = readSteps(folder).slice(warmUp);
  rmSync(folder, { recursive: true });
  return {
    imagesPerSecond: median(timed.map(({ imagesPerSecond }) => imagesPerSecond)),
    firstStepSeconds: ((firstStepAt ?? NaN) - startedAt) / 1000,
    peakMebibytes,
    version: `Node ${process.versions.node}`,
  };
}

/** Whether a run has logged a step. */
function logged(folder: string): boolean {
  return (statSync(stepLogOf(folder), { throwIfNoEntry: false })?.size ?? 0) > 0;
}

async function runPeerRow(
  peer: Peer,
  interpreters: Interpreters,
  { device }: Row,
  args: readonly string[],
): Promise<Measured> {
  const python = interpreters[peer] ?? '';
  const watched = await runPeer(python, `${peer}_step`, args, environmentOf(device));
  const { imagesPerSecond, firstStepAt, version } = watched.result as PeerResult;
  return {
    imagesPerSecond,
    firstStepSeconds: firstStepAt - watched.startedAt / 1000,
    peakMebibytes: watched.peakMebibytes,
    version,
  };
}
