import { modelLayout } from '../model/layout.js';
import { placeInLocal } from '../model/local-layout.js';
import { placeInPhase } from '../model/element-location.js';
import type { TrainingOptions } from '../model/training-options.js';
import { whatIsNotFinite, type NeverFinite } from './nonfinite-retry.js';

/** Describes a non-finite gradient: network, layer, worker and shard. */
export function neverFiniteLine({ phase, step, element }: NeverFinite, training: TrainingOptions): string {
  const where = element
    ? `${placeOf({ phase, step }, element.element, training)}; computed by ` +
      `${element.worker === undefined ? 'this process' : `worker ${element.worker}`}, shard ${element.shard}`
    : "each shard's numbers are, but not their sum";
  return `${whatIsNotFinite(phase, step)} (${where}) for the third time`;
}

function placeOf(
  { phase, step }: Pick<NeverFinite, 'phase' | 'step'>,
  element: number,
  training: TrainingOptions,
): string {
  const model = modelLayout(training);
  if (phase === 'local') return placeInLocal(element, { model, localSteps: training.localSteps ?? 1, step });
  const { network, layer, tensor } = placeInPhase(phase, element, model);
  const owner = network === phase ? '' : `the ${network}'s `;
  return `${owner}${layer === undefined ? tensor : `layer ${layer}, ${tensor}`}`;
}
