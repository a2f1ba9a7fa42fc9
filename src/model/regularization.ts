import { UserError } from '../common/errors.js';
import type { ModelOptions } from './architecture.js';

/** Augmentations in the order in which they are applied. */
export const AUGMENTATIONS = ['colour', 'translation', 'cutout'] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];

/**
 * Additions to the tutorial for small datasets (docs/few-photographs.md). An absent one is off and changes nothing in a
 * run's numbers, state or graph.
 */
export interface Regularization {
  /** Decay of the moving average of the generator's weights, see `moving-average.ts`. */
  readonly ema?: number;
  /** Each real image is mirrored with probability 1/2. */
  readonly mirror?: true;
  /** AUGMENTATIONS with commas between them: what real and generated images go through, see `augment.ts`. */
  readonly augment?: string;
  /** Weight gamma of the penalty on the discriminator's gradient at real images, see `gradient-penalty.ts`. */
  readonly r1?: number;
}

/** Options of a step's computation, besides Adam's and the batch. */
export interface StepOptions extends ModelOptions, Regularization {}

/** Refuses what no run can have. */
export function checkRegularization({ ema, mirror, augment, r1 }: Regularization): void {
  if (ema !== undefined && !(ema > 0 && ema < 1))
    throw new UserError(`the decay of --ema must be above 0 and below 1 (0: no average), not ${ema}`);
  if (mirror !== undefined && (mirror as unknown) !== true)
    throw new UserError(`mirror is true or absent, not ${String(mirror)}`);
  if (r1 !== undefined && !(r1 > 0 && Number.isFinite(r1)))
    throw new UserError(`the weight of --r1 must be a number above 0 (0: no penalty), not ${r1}`);
  if (augment !== undefined && augment !== augmentationsOf(augment).join())
    throw new UserError(`the augmentations are written ${augmentationsOf(augment).join()}, not ${augment}`);
}

/** The augmentations of a list with commas, in order. Throws a UserError for a list that is none. */
export function augmentationsOf(list: string): readonly Augmentation[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !AUGMENTATIONS.some((known) => known === name));
  if (unknown !== undefined)
    throw new UserError(
      `--augment takes ${AUGMENTATIONS.join()} or some of them with commas between, not ${unknown || 'nothing'}`,
    );
  return AUGMENTATIONS.filter((name) => names.includes(name));
}
