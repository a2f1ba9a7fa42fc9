import { modelLayout, type Slot } from '../../model/layout.js';
import { residualLayout, residualSlots } from '../../model/residual-layout.js';
import { stateLayout } from '../../model/state.js';
import type { TrainingOptions } from '../../model/training-options.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * The tensors of a checkpoint in their order, without gaps: the state and, in a run that sends int8, what rounding had
 * left of the gradients of each shard.
 */
export function checkpointSlots(training: TrainingOptions, { withResiduals = true } = {}): readonly Slot[] {
  const { slots, length } = stateLayout(modelLayout(training));
  return withResiduals ? [...slots, ...residualSlots(training, length)] : slots;
}

/** Of the state, with which the tensors begin. */
export function stateBytes(training: TrainingOptions): number {
  return stateLayout(modelLayout(training)).length * FLOAT;
}

/** Of what is kept of each shard; 0 in a run where nothing is. */
export function residualBytes(training: TrainingOptions): number {
  return (residualLayout(training)?.length ?? 0) * FLOAT;
}
