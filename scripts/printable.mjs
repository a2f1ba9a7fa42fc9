/**
 * Control characters, among them those that begin a terminal's escape sequences; invisible ones, which can turn the
 * direction of what follows; both separators that end a line; halves of a character. Joiners stay: words of some
 * languages are spelled with them, and so are emoji.
 */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/**
 * Returns a text from outside (a name, a path, a message) as one line that does nothing to a terminal: unprintable
 * characters become escapes. JSON stays JSON with the same meaning, since it has the same escapes.
 */
export function printable(text) {
  return text.replace(UNPRINTABLE, escaped);
}

/** The same for a text of several lines, whose ends stay. */
export function printableLines(text) {
  return text.split('\n').map(printable).join('\n');
}

/** @param {string} character */
function escaped(character) {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return SHORT.get(character) ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
