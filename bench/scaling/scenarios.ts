import type { Way } from '../averaging/rows.js';
import { roundSeconds, type Costs } from './simulate.js';

export interface Scenario {
  readonly way: Way;
  readonly workers: number;
  /** Of each machine, each way. */
  readonly gigabits: number;
  readonly bytesPerFloat: number;
  /** Of a step's time, the part that is computing. */
  readonly efficiency: number;
}

const GIGABITS = [1, 10, 25, 100];
const LATENCY = 50e-6; // seconds; one switch, kernels and event loops at both ends

/** float32, and what a smaller format would give. */
export const FORMATS: Readonly<Record<number, string>> = {
  4: 'float32',
  2: '2 bytes a number',
  1: '1 byte a number',
};

/** One worker a machine and one shard a worker, each computing for so many seconds a step, whatever their number. */
export function scenarios(costs: Costs, floats: readonly number[], compute: number, most = 1024): Scenario[] {
  const counts = Array.from({ length: Math.log2(most) + 1 }, (_, power) => 2 ** power);
  return [4, 2, 1].flatMap((bytesPerFloat) =>
    GIGABITS.flatMap((gigabits) =>
      (['star', 'ring', 'tree'] as const).flatMap((way) =>
        counts.map((workers): Scenario => {
          const network = { bytesPerSecond: (gigabits * 1e9) / 8, latency: LATENCY };
          const averaging = floats.reduce(
            (sum, length) =>
              sum +
              roundSeconds({
                ...{ way, workers, floats: length, bytesPerFloat, costs, network },
              }),
            0,
          );
          return { way, workers, gigabits, bytesPerFloat, efficiency: compute / (compute + averaging) };
        }),
      ),
    ),
  );
}

/** Of float32: the efficiency by link, number of workers and way, in Markdown. */
export function scenarioLines(all: readonly Scenario[]): string[] {
  const counts = [2, 4, 8, 16, 64, 256, 1024];
  const header = ['Gbit/s', 'way', ...counts.map(String)];
  const rows = GIGABITS.flatMap((gigabits) =>
    (['star', 'ring', 'tree'] as const).map((way) => [
      ...[String(gigabits), way],
      ...counts.map((count) => {
        const scenario = all.find(
          (one) =>
            one.way === way && one.gigabits === gigabits && one.workers === count && one.bytesPerFloat === 4,
        );
        return scenario ? `${Math.round(100 * scenario.efficiency)} %` : '';
      }),
    ]),
  );
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
