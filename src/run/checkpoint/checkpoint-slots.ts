import { modelLayout, type Slot } from '../../model/layout.js';
import { stateLayout } from '../../model/state.js';
import type { TrainingOptions } from '../../model/training-options.js';

/** The tensors of a checkpoint in their order, without gaps: those of the state. */
export function checkpointSlots(training: TrainingOptions): readonly Slot[] {
  return stateLayout(modelLayout(training)).slots;
}
