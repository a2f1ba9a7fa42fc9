import { cutVector } from '../../src/averaging/vector-cuts.js';
import type { ModelOptions } from '../../src/model/architecture.js';
import { modelLayout } from '../../src/model/layout.js';
import { localLayout } from '../../src/model/local-layout.js';
import { floatsOf } from './real-runs.js';
import { roundSeconds, type Costs } from './simulate.js';
import { waitingSeconds } from './waiting.js';

/** Shards train so many steps on their own, then one vector is averaged: the state. */
const LOCAL_STEPS = [1, 4, 16, 64];
const WORKERS = [2, 4, 8, 16, 64, 256];
const GIGABITS = [0.1, 1, 10];
const LATENCY = 50e-6; // seconds

/** Floats of each vector of a round: a step's two phases, or the state and measures after local steps. */
export function floatsOfRound(model: ModelOptions, localSteps: number): number[] {
  return localSteps === 1 ? floatsOf(model) : [localLayout(modelLayout(model), localSteps).length];
}

/** The part of a ring's time that is computing, by link, local steps and workers, in Markdown. */
export function localStepLines(costs: Costs, model: ModelOptions, compute: number): string[] {
  const efficiency = (gigabits: number, localSteps: number, workers: number): number => {
    const network = { bytesPerSecond: (gigabits * 1e9) / 8, latency: LATENCY };
    const rounds = floatsOfRound(model, localSteps).map((floats) =>
      roundSeconds({
        ...{ way: 'ring', workers, costs, network },
        cuts: cutVector({ length: floats, gradientEnd: floats, shards: workers }),
      }),
    );
    const waiting =
      localSteps === 1
        ? waitingSeconds({ discriminator: rounds[0], generator: rounds[1] }, compute)
        : rounds[0];
    return (localSteps * compute) / (localSteps * compute + waiting);
  };
  const header = ['Gbit/s', '--local-steps', ...WORKERS.map(String)];
  const rows = GIGABITS.flatMap((gigabits) =>
    LOCAL_STEPS.map((localSteps) => [
      ...[String(gigabits), String(localSteps)],
      ...WORKERS.map((workers) => `${Math.round(100 * efficiency(gigabits, localSteps, workers))} %`),
    ]),
  );
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
