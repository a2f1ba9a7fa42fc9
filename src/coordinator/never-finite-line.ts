import type { ModelLayout } from '../model/layout.js';
import { placeInPhase } from '../model/phase-place.js';
import type { NeverFinite } from './until-finite.js';

/** Says whose gradient is not finite, where, and who computed it: which network, layer, worker and shard to look at. */
export function neverFiniteLine({ phase, step, element }: NeverFinite, layout: ModelLayout): string {
  const where = element ? describe(phase, element, layout) : "each shard's numbers are, but not their sum";
  return `the ${phase}'s gradient is not finite at step ${step} (${where}) for the third time`;
}

function describe(
  phase: NeverFinite['phase'],
  { element, worker, shard }: NonNullable<NeverFinite['element']>,
  layout: ModelLayout,
): string {
  const { network, layer, tensor } = placeInPhase(phase, element, layout);
  const owner = network === phase ? '' : `the ${network}'s `;
  const place = layer === undefined ? tensor : `layer ${layer}, ${tensor}`;
  return `${owner}${place}; computed by ${worker === undefined ? 'this process' : `worker ${worker}`}, shard ${shard}`;
}
