import type { RoundName } from '../model/round.js';

/** Attempts for a phase whose gradient is not finite. A transient fault, for example of memory, does not return. */
export const TRIES = 3;

/** The first element that is not finite, of the first shard that has one. */
export interface NotFiniteElement {
  readonly shard: number;
  /** Worker that computed the shard; undefined: this process. */
  readonly worker: number | undefined;
  /** Its place in the phase's vector. */
  readonly element: number;
}

/** A phase whose gradient was not finite each time that it was computed: the update was not made. */
export class NeverFinite extends Error {
  override readonly name = 'NeverFinite';

  constructor(
    readonly phase: RoundName,
    readonly step: number,
    /** Undefined where each shard's elements are finite, and their sum or its norm is not. */
    readonly element: NotFiniteElement | undefined,
  ) {
    super(`${whatIsNotFinite(phase, step)}, ${TRIES} times in a row`);
  }
}

export function whatIsNotFinite(phase: RoundName, step: number): string {
  return phase === 'local'
    ? `the state after the local steps up to step ${step} is not finite`
    : `the ${phase}'s gradient is not finite at step ${step}`;
}

/** Outcome of one attempt: a result, or the location of a non-finite gradient if it was searched for. */
export type Attempt<Result> =
  { readonly result: Result } | { readonly notFinite: NotFiniteElement | undefined };

/** Tries a phase until its gradient is finite, three times at most; then throws NeverFinite. Attempts count from 1. */
export async function untilFinite<Result extends object>(
  phase: RoundName,
  step: number,
  attempt: (number: number) => Promise<Attempt<Result>>,
): Promise<Result & { redone: number }> {
  let element: NotFiniteElement | undefined;
  for (let redone = 0; redone < TRIES; redone++) {
    const outcome = await attempt(redone + 1);
    if ('result' in outcome) return { ...outcome.result, redone };
    element = outcome.notFinite;
  }
  throw new NeverFinite(phase, step, element);
}
