import { cutVector, type Cut } from '../averaging/vector-cuts.js';
import { modelLayout } from './layout.js';
import { phaseLayout, type Phase } from './phase.js';
import type { TrainingOptions } from './training-options.js';

/** How a phase's vector is cut and written, in this run. */
export function phaseCuts(phase: Phase, training: TrainingOptions): Cut[] {
  const { length, gradient } = phaseLayout(phase, modelLayout(training));
  return cutVector({ length, gradientEnd: gradient.end, shards: training.shards, wire: training.wire });
}
