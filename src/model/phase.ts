import type { Network } from './architecture.js';
import type { ModelLayout } from './layout.js';

/** The two phases of a step, in order. Each computes one network's gradient and then updates that network. */
export const PHASES = ['discriminator', 'generator'] as const satisfies readonly Network[];
export type Phase = (typeof PHASES)[number];

/**
 * The updates of a run in order: 0 is the discriminator's of step 1, 1 the generator's, 2 the discriminator's of step
 * 2. The number of the update that comes next is the version of a state.
 */
export function updateNumber(phase: Phase, step: number): number {
  return (step - 1) * PHASES.length + PHASES.indexOf(phase);
}

export function updateAt(number: number): { readonly phase: Phase; readonly step: number } {
  return { phase: PHASES[number % PHASES.length], step: Math.floor(number / PHASES.length) + 1 };
}

/** Measures of each phase; each is a mean over the shard's batch. */
export const MEASURES = {
  discriminator: ['loss', 'realScore', 'fakeScore'],
  generator: ['loss', 'fakeScore'],
} as const satisfies Record<Phase, readonly string[]>;

export type Measures<P extends Phase> = Record<(typeof MEASURES)[P][number], number>;

/** A part of a flat vector: [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Layout of a phase's vector on one shard: gradient, batch statistics, measures. All are averaged over the shards in
 * the same way, so they travel and are summed as one. The statistics are those of every forward pass that PyTorch's
 * step counts into the running ones. Discriminator phase: generator, then discriminator on real, then on generated
 * images. Generator phase: discriminator on generated images, after its update.
 */
export interface PhaseLayout {
  readonly length: number;
  readonly gradient: Span;
  readonly statistics: readonly { readonly network: Network; readonly span: Span }[];
  readonly measures: Span;
}

const FORWARD_PASSES = {
  discriminator: ['generator', 'discriminator', 'discriminator'],
  generator: ['discriminator'],
} as const satisfies Record<Phase, readonly Network[]>;

export function phaseLayout(phase: Phase, model: ModelLayout): PhaseLayout {
  let end = 0;
  const next = (length: number): Span => ({ start: end, end: (end += length) });
  const gradient = next(model[phase].parameterCount);
  const statistics = FORWARD_PASSES[phase].map((network) => ({
    network,
    span: next(model[network].statisticCount),
  }));
  const measures = next(MEASURES[phase].length);
  return { length: end, gradient, statistics, measures };
}

/** The measures at the end of a phase's vector, by name. */
export function readMeasures<P extends Phase>(phase: P, vector: Float32Array): Measures<P> {
  const names: readonly (typeof MEASURES)[P][number][] = MEASURES[phase];
  const values = vector.subarray(vector.length - names.length);
  return Object.fromEntries(names.map((name, index) => [name, values[index]])) as Measures<P>;
}
