import { LIMITS } from './limits.js';

/**
 * Control characters, among them those that begin a terminal's escape sequences; invisible ones, which can turn the
 * direction of what follows; both separators that end a line; halves of a character.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const EACH_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

/** Returns whether a text can be logged and shown as it is: one line that does nothing to a terminal. */
export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}

/** Shortens and escapes a reason for the wire. Other text would be rejected on arrival. */
export function tellable(reason: string): string {
  return reason.slice(0, LIMITS.reasonCharacters).replaceAll(EACH_UNPRINTABLE, '\u{fffd}');
}
