import { UserError } from '../common/errors.js';

/** Samples that can be compared with so many real faces: as many others are compared with those too. */
export function countFor(asked: number, reals: number): number {
  const count = Math.min(asked, Math.floor(reals / 2));
  if (count < 2)
    throw new UserError(`${reals} real faces are too few to compare with: give a folder of 4 or more`);
  return count;
}
