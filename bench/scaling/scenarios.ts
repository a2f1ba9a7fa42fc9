import { cutVector } from '../../src/averaging/vector-cuts.js';
import { WIRE_FORMATS, type WireFormat } from '../../src/averaging/wire-format.js';
import { WAYS, type Way } from '../averaging/rows.js';
import { roundSeconds, type Costs } from './simulate.js';
import { waitingSeconds } from './waiting.js';

export interface Scenario {
  readonly way: Way;
  readonly workers: number;
  /** Of each machine, each way. */
  readonly gigabits: number;
  readonly wire: WireFormat;
  /** Of a step's time, the part that is computing. */
  readonly efficiency: number;
}

const GIGABITS = [1, 10, 25, 100];
const LATENCY = 50e-6; // seconds; one switch, kernels and event loops at both ends

/** `floats`: of both phases' vectors. One worker a machine and one shard a worker, each computing for so many seconds a step, whatever their number. */
export function scenarios(costs: Costs, floats: readonly number[], compute: number, most = 1024): Scenario[] {
  const counts = Array.from({ length: Math.log2(most) + 1 }, (_, power) => 2 ** power);
  return WIRE_FORMATS.flatMap((wire) =>
    GIGABITS.flatMap((gigabits) =>
      WAYS.flatMap((way) =>
        counts.map((workers): Scenario => {
          const network = { bytesPerSecond: (gigabits * 1e9) / 8, latency: LATENCY };
          const [discriminator, generator] = floats.map((length) =>
            roundSeconds({
              ...{ way, workers, costs, network },
              cuts: cutVector({ length, gradientEnd: length, shards: workers, wire }),
            }),
          );
          const waiting = waitingSeconds({ discriminator, generator }, compute);
          return { way, workers, gigabits, wire, efficiency: compute / (compute + waiting) };
        }),
      ),
    ),
  );
}

/** By format: the efficiency by link, number of workers and way, in Markdown. */
export function scenarioLines(all: readonly Scenario[]): string[] {
  const counts = [2, 4, 8, 16, 64, 256, 1024];
  const header = ['wire', 'Gbit/s', 'way', ...counts.map(String)];
  const rows = WIRE_FORMATS.flatMap((wire) =>
    GIGABITS.flatMap((gigabits) =>
      WAYS.map((way) => [
        ...[wire, String(gigabits), way],
        ...counts.map((count) => {
          const scenario = all.find(
            (one) =>
              one.wire === wire && one.way === way && one.gigabits === gigabits && one.workers === count,
          );
          return scenario ? `${Math.round(100 * scenario.efficiency)} %` : '';
        }),
      ]),
    ),
  );
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
