import { modelLayout, type Slot } from './layout.js';
import { PHASES, type Phase, type Span } from './phase.js';
import type { TrainingOptions } from './training-options.js';

/**
 * What rounding has left of a shard's gradients (see `Residuals`), as one flat float32 vector: the discriminator's, then
 * the generator's, each with its parameters' layout. It is what a checkpoint holds of each shard, and what travels with it.
 */
export interface ResidualLayout {
  readonly length: number;
  readonly spans: Readonly<Record<Phase, Span>>;
}

/** Undefined in a run where nothing is kept. */
export function residualLayout(training: TrainingOptions): ResidualLayout | undefined {
  if (training.wire !== 'int8') return undefined;
  const model = modelLayout(training);
  let length = 0;
  const spans = PHASES.map((phase) => {
    const start = length;
    length += model[phase].parameterCount;
    return [phase, { start, end: length }] as const;
  });
  return { length, spans: Object.fromEntries(spans) as Record<Phase, Span> };
}

/** Every tensor of all shards, `generator.residuals.shard0.layer0.kernel`, from element `at` on: shard after shard. */
export function residualSlots(training: TrainingOptions, at: number): Slot[] {
  const layout = residualLayout(training);
  if (!layout) return [];
  const model = modelLayout(training);
  return Array.from({ length: training.shards }, (_, shard) =>
    PHASES.flatMap((phase) =>
      model[phase].parameters.map(({ name, shape, offset, size }) => ({
        name: `${phase}.residuals.shard${shard}.${name}`,
        shape,
        offset: at + shard * layout.length + layout.spans[phase].start + offset,
        size,
      })),
    ),
  ).flat();
}
