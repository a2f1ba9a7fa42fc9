import type { ModelLayout } from './layout.js';
import { MEASURES, PHASES, type Measures, type Phase, type Span } from './phase.js';
import { stateLayout } from './state.js';

/** The most steps that shards train on their own: all of their measures go into one message. */
export const MAX_LOCAL_STEPS = 1000;

/** Report of a local step: measures and gradient norm of each phase. */
const STEP_MEASURES = PHASES.flatMap((phase) =>
  [...MEASURES[phase], 'gradientNorm' as const].map((name) => ({ phase, name })),
);
const STEP_LENGTH = STEP_MEASURES.length;

/** A step that shards made on their own. Means over the shards, the norms too: there is no averaged gradient. */
export type LocalStep = { readonly [P in Phase]: Measures<P> & { readonly gradientNorm: number } };

/**
 * A shard's vector after local steps: its state (see `stateLayout`), then the measures of `localSteps` steps. The
 * number of a step determines its place, so a shorter round has a vector of the same length.
 */
export interface LocalLayout {
  readonly length: number;
  readonly state: Span;
  readonly measures: Span;
}

export function localLayout(model: ModelLayout, localSteps: number): LocalLayout {
  const { length: end } = stateLayout(model);
  const length = end + localSteps * STEP_LENGTH;
  return { length, state: { start: 0, end }, measures: { start: end, end: length } };
}

/** Elements that the measures of so many steps take. */
export function localMeasures(localSteps: number): number {
  return localSteps * STEP_LENGTH;
}

/** Returns the place of a phase's measures among those of `localSteps` steps. The gradient norm is the last. */
export function placeOfPhase(phase: Phase, step: number, localSteps: number): Span {
  const start = ((step - 1) % localSteps) * STEP_LENGTH;
  const first = start + STEP_MEASURES.findIndex((measure) => measure.phase === phase);
  return { start: first, end: first + MEASURES[phase].length + 1 };
}

/** The measures of a step, from an array that ends with those of `localSteps` steps. */
export function readLocalStep(vector: Float32Array, step: number, localSteps: number): LocalStep {
  const measures = vector.subarray(vector.length - localMeasures(localSteps));
  const read = <P extends Phase>(phase: P): LocalStep[P] => {
    const { start } = placeOfPhase(phase, step, localSteps);
    const names: readonly string[] = [...MEASURES[phase], 'gradientNorm'];
    return Object.fromEntries(names.map((name, index) => [name, measures[start + index]])) as LocalStep[P];
  };
  return { discriminator: read('discriminator'), generator: read('generator') };
}

/** Locates an element of a shard's vector after local steps. */
export function placeInLocal(
  element: number,
  {
    model,
    localSteps,
    step,
  }: { readonly model: ModelLayout; readonly localSteps: number; readonly step: number },
): string {
  const { state } = localLayout(model, localSteps);
  if (element < state.end) {
    const slot = stateLayout(model).slots.find(
      ({ offset, size }) => element >= offset && element < offset + size,
    );
    return slot?.name ?? String(element);
  }
  const index = element - state.end;
  const { phase, name } = STEP_MEASURES[index % STEP_LENGTH];
  const first = step - ((step - 1) % localSteps);
  const of = first + Math.floor(index / STEP_LENGTH);
  return name === 'gradientNorm'
    ? `the ${phase}'s gradient of step ${of}`
    : `the ${phase}'s ${name} of step ${of}`;
}
