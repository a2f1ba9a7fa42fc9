import { UserError } from '../common/errors.js';
import type { ModelOptions } from './architecture.js';

/**
 * What a run does beyond the tutorial, for better faces from few photographs (docs/few-photographs.md). What is absent
 * is not done, and leaves no trace in a run's numbers, state or graph.
 */
export interface Refinements {
  /** Decay of the moving average of the generator's weights, see `moving-average.ts`. */
  readonly ema?: number;
  /** Each real image is mirrored with probability 1/2. */
  readonly mirror?: true;
}

/** What decides a step's computation, besides Adam's options and the batch. */
export interface StepOptions extends ModelOptions, Refinements {}

/** Refuses what no run can have. */
export function checkRefinements({ ema, mirror }: Refinements): void {
  if (ema !== undefined && !(ema > 0 && ema < 1))
    throw new UserError(`the decay of --ema must be above 0 and below 1 (0: no average), not ${ema}`);
  if (mirror !== undefined && (mirror as unknown) !== true)
    throw new UserError(`mirror is true or absent, not ${String(mirror)}`);
}
