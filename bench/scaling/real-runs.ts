import { join } from 'node:path';
import { cpus } from 'node:os';
import { cutVector } from '../../src/averaging/vector-cuts.js';
import type { ModelOptions } from '../../src/model/architecture.js';
import { modelLayout } from '../../src/model/layout.js';
import { PHASES, phaseLayout } from '../../src/model/phase.js';
import { median } from '../support/median.js';
import { startTrainer, stepsOf } from '../support/trainer.js';
import type { Way } from '../averaging/rows.js';
import { roundSeconds, type Costs } from './simulate.js';
import { waitingSeconds } from './waiting.js';

export interface Size {
  readonly name: string;
  readonly model: ModelOptions;
  readonly imagesPerShard: number;
}

const MODEL: ModelOptions = {
  ...{ architecture: 'tutorial', imageSize: 64, latentSize: 100 },
  ...{ generatorFeatures: 64, discriminatorFeatures: 64 },
};

export const SIZES: readonly Size[] = [
  { name: 'tutorial, 64 x 64', model: MODEL, imagesPerShard: 8 },
  {
    name: 'small, 32 x 32',
    model: { ...MODEL, imageSize: 32, generatorFeatures: 32, discriminatorFeatures: 32 },
    imagesPerShard: 16,
  },
];

/** Medians of the steps, seconds. */
export interface RealRun {
  readonly size: string;
  readonly way: Way;
  readonly workers: number;
  readonly step: number;
  readonly compute: number;
  readonly averaging: number;
  /** Of `averaging`, what the simulator says of waiting for the two rounds on so many cores. */
  readonly simulated: number;
}

/** The first steps load and record. */
const WARM_UP = 3;

export function floatsOf(model: ModelOptions): number[] {
  return PHASES.map((phase) => phaseLayout(phase, modelLayout(model)).length);
}

/** One shard a worker, one thread a shard. */
export async function realRuns(folder: string, steps: number, costs: Costs): Promise<RealRun[]> {
  const runs: RealRun[] = [];
  for (const size of SIZES)
    for (const [workers, way] of [
      ...([[1, 'star']] as const),
      ...([2, 4] as const).flatMap((count) =>
        (['star', 'ring', 'tree'] as const)
          .filter((each) => each !== 'tree' || count > 2)
          .map((each) => [count, each] as const),
      ),
    ])
      runs.push(await realRun(join(folder, String(runs.length)), { size, workers, way, steps, costs }));
  return runs;
}

async function realRun(
  folder: string,
  {
    size,
    workers,
    way,
    steps,
    costs,
  }: { size: Size; workers: number; way: Way; steps: number; costs: Costs },
): Promise<RealRun> {
  const { model, imagesPerShard, name } = size;
  const trainer = startTrainer(folder, [
    ...['--workers', String(workers), '--shards', String(workers), '--threads', '1', '--topology', way],
    ...['--architecture', model.architecture, '--image-size', String(model.imageSize)],
    ...['--generator-features', String(model.generatorFeatures)],
    ...['--discriminator-features', String(model.discriminatorFeatures)],
    ...['--batch-size', String(workers * imagesPerShard), '--steps', String(steps + WARM_UP)],
    // The vectors go by message here too, as between the machines that are simulated.
    ...['--no-shared-memory', '--sample-every', '0', '--checkpoint-every', '0', '--seed', '0'],
  ]);
  const measured = (await stepsOf(trainer, folder)).slice(WARM_UP);
  const network = { bytesPerSecond: Infinity, latency: 0, sharedCores: cpus().length };
  const simulated = floatsOf(model).map((floats) =>
    roundSeconds({
      ...{ way, workers, costs, network },
      cuts: cutVector({ length: floats, gradientEnd: floats, shards: workers }),
    }),
  );
  const compute = median(measured.map(({ computeSeconds }) => computeSeconds));
  const averaging = median(measured.map(({ averagingSeconds }) => averagingSeconds));
  return {
    ...{ size: name, way, workers, compute, averaging, step: compute + averaging },
    simulated: waitingSeconds({ discriminator: simulated[0], generator: simulated[1] }, compute),
  };
}

/** Measured and predicted, in Markdown. What one worker's step has besides computing, all have. */
export function realRunLines(runs: readonly RealRun[]): string[] {
  const milliseconds = (seconds: number): string => (1000 * seconds).toFixed(1);
  const rows = runs.map(({ size, way, workers, step, compute, averaging, simulated }) => {
    const alone = runs.find((run) => run.size === size && run.workers === 1)?.averaging ?? NaN;
    const predicted = alone + simulated;
    return [
      ...[size, String(workers), workers === 1 ? '' : way],
      ...[step, compute, averaging, predicted].map(milliseconds),
      (predicted / averaging).toFixed(2),
    ];
  });
  const header = ['networks', 'workers', 'way', 'step, ms', 'computing', 'averaging', 'predicted', 'ratio'];
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
