import { floatsOf, halvesOf } from '../common/bytes.js';
import { firstBlockNotFinite } from './int8.js';
import type { Cut } from './vector-cuts.js';

/** The exponent that is infinity's and of what is no number, in a bfloat16. */
const NOT_FINITE = 0x7f80;

/**
 * The first number that is not finite, in a written part of an operand; undefined where there is none. In int8 it is the
 * first of its block.
 */
export function firstNotFiniteIn({ length, operand }: Cut, payload: Uint8Array): number | undefined {
  if (operand.format === 'int8') return firstBlockNotFinite(payload, length);
  const index =
    operand.format === 'bf16'
      ? halvesOf(payload).findIndex((half) => (half & NOT_FINITE) === NOT_FINITE)
      : floatsOf(payload).findIndex((value) => !Number.isFinite(value));
  return index < 0 ? undefined : index;
}
