import { fillNormal, randomStream } from '../common/random.js';
import { NETWORKS, type Network } from './architecture.js';
import type { ModelLayout, Slot } from './layout.js';
import type { Span } from './phase.js';

export const STATE_PARTS = ['parameters', 'firstMoment', 'secondMoment', 'runningStatistics'] as const;
export type StatePart = (typeof STATE_PARTS)[number];

/**
 * Everything that training changes, as one flat float32 vector: both networks, both Adams, running statistics.
 * It is what a checkpoint holds, what a worker starts from, and what is compared when two runs must be the same.
 */
export interface StateLayout {
  readonly length: number;
  readonly spans: Readonly<Record<Network, Readonly<Record<StatePart, Span>>>>;
  /** Every tensor by its full name, `generator.parameters.layer0.kernel`, in the vector's order without gaps. */
  readonly slots: readonly Slot[];
}

export function stateLayout(model: ModelLayout): StateLayout {
  const slots: Slot[] = [];
  let length = 0;
  const spansOf = (network: Network): Record<StatePart, Span> => {
    const { parameters, statistics } = model[network];
    const spans = STATE_PARTS.map((part): [StatePart, Span] => {
      const start = length;
      for (const { name, shape, size } of part === 'runningStatistics' ? statistics : parameters) {
        slots.push({ name: `${network}.${part}.${name}`, shape, offset: length, size });
        length += size;
      }
      return [part, { start, end: length }];
    });
    return Object.fromEntries(spans) as Record<StatePart, Span>;
  };
  const spans = Object.fromEntries(NETWORKS.map((network) => [network, spansOf(network)]));
  return { length, spans: spans as Record<Network, Record<StatePart, Span>>, slots };
}

/** The state before the first step: each parameter from its own random stream, so that sizes do not disturb others. */
export function initialState(model: ModelLayout, seed: number, into?: Float32Array): Float32Array {
  const layout = stateLayout(model);
  const state = into ?? new Float32Array(layout.length);
  // Both Adams start at 0, whatever the array held before.
  state.fill(0);
  for (const network of NETWORKS) {
    const { parameters, runningStatistics } = layout.spans[network];
    for (const { name, offset, size, initial } of model[network].parameters) {
      const start = parameters.start + offset;
      const stream = randomStream(seed, 'initial', network, name);
      fillNormal(state.subarray(start, start + size), stream, initial.mean, initial.deviation);
    }
    // PyTorch's BatchNorm2d starts from mean 0 and variance 1.
    for (const { name, offset, size } of model[network].statistics) {
      const start = runningStatistics.start + offset;
      state.fill(name.endsWith('.variance') ? 1 : 0, start, start + size);
    }
  }
  return state;
}
