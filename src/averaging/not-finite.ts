import { floatsOf, halvesOf } from '../common/bytes.js';
import type { Cut } from './vector-cuts.js';

/** The exponent that is infinity's and of what is no number, in a bfloat16. */
const NOT_FINITE = 0x7f80;

/** Returns the index of the first number that is not finite in a written part; undefined if all are. */
export function firstNotFiniteIn({ format }: Cut, payload: Uint8Array): number | undefined {
  const index =
    format === 'bf16'
      ? halvesOf(payload).findIndex((half) => (half & NOT_FINITE) === NOT_FINITE)
      : floatsOf(payload).findIndex((value) => !Number.isFinite(value));
  return index < 0 ? undefined : index;
}
