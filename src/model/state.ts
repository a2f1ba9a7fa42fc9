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

/** The tensors that fill a part of a state from element `at` on; a part has whole tensors only. */
export function slotsWithin(layout: StateLayout, at: number, length: number): readonly Slot[] {
  const slots = layout.slots.filter(({ offset }) => offset >= at && offset < at + length);
  const size = slots.reduce((sum, slot) => sum + slot.size, 0);
  if (slots.at(0)?.offset !== at || size !== length)
    throw new Error(`${length} numbers from ${at} on do not fit the tensors of a state of ${layout.length}`);
  return slots;
}

/** Numbers in a part of a state: 16 MiB. */
const PART_LENGTH = 4 * 1024 * 1024;

/** Cuts a state at its tensors into parts of at most `most` numbers, but for a single tensor that is larger. */
export function stateParts(layout: Pick<StateLayout, 'slots'>, most = PART_LENGTH): Span[] {
  const parts: Span[] = [];
  for (const { offset, size } of layout.slots) {
    const last = parts.at(-1);
    if (last && offset + size - last.start <= most)
      parts[parts.length - 1] = { start: last.start, end: offset + size };
    else parts.push({ start: offset, end: offset + size });
  }
  return parts;
}

/** The state before the first step: each parameter from its own random stream, so that sizes do not disturb others. */
export function initialState(model: ModelLayout, seed: number, into?: Float32Array): Float32Array {
  const { length } = stateLayout(model);
  return fillInitialState(model, seed, into ?? new Float32Array(length), 0);
}

/** The same for a part of it: whole tensors from element `at` on. */
export function fillInitialState(
  model: ModelLayout,
  seed: number,
  into: Float32Array,
  at: number,
): Float32Array {
  const layout = stateLayout(model);
  const parameters = new Map(
    NETWORKS.flatMap((network) =>
      model[network].parameters.map(({ name, initial }) => [
        `${network}.parameters.${name}`,
        { initial, stream: () => randomStream(seed, 'initial', network, name) },
      ]),
    ),
  );
  for (const { name, offset, size } of slotsWithin(layout, at, into.length)) {
    const tensor = into.subarray(offset - at, offset - at + size);
    const parameter = parameters.get(name);
    if (parameter)
      fillNormal(tensor, parameter.stream(), parameter.initial.mean, parameter.initial.deviation);
    // PyTorch's BatchNorm2d starts from mean 0 and variance 1; both Adams start at 0.
    else tensor.fill(name.endsWith('.variance') ? 1 : 0);
  }
  return into;
}
