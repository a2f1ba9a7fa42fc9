import type { Network } from './architecture.js';
import type { ModelLayout, Slot } from './layout.js';
import { MEASURES, phaseLayout, type Phase } from './phase.js';

/** Locates an element of a phase's vector. */
export interface PhasePlace {
  readonly network: Network;
  /** Undefined for a measure. */
  readonly layer: number | undefined;
  /** kernel, gamma or beta of the gradient; mean or variance of a batch; or a measure's name. */
  readonly tensor: string;
}

/** Throws a RangeError where the vector has no such element. */
export function placeInPhase(phase: Phase, element: number, model: ModelLayout): PhasePlace {
  const { gradient, statistics, measures } = phaseLayout(phase, model);
  const parts = [
    { network: phase, span: gradient, slots: model[phase].parameters },
    ...statistics.map(({ network, span }) => ({ network, span, slots: model[network].statistics })),
    { network: phase, span: measures, slots: measureSlots(phase) },
  ];
  const part = parts.find(({ span }) => element >= span.start && element < span.end);
  const within = part ? element - part.span.start : -1;
  const slot = part?.slots.find(({ offset, size }) => within >= offset && within < offset + size);
  if (!part || !slot) throw new RangeError(`the ${phase}'s phase has no element ${element}`);
  const [, layer, tensor] = /^(?:layer(\d+)\.)?(.+)$/.exec(slot.name) as unknown as [
    string,
    string | undefined,
    string,
  ];
  return { network: part.network, layer: layer === undefined ? undefined : Number(layer), tensor };
}

function measureSlots(phase: Phase): Slot[] {
  return MEASURES[phase].map((name, offset) => ({ name, shape: [], offset, size: 1 }));
}
