import { printable } from '#printable';

/** Characters that mean nothing to a shell. A leading tilde or dash does. */
const PLAIN = /^(?![-~])[\p{L}\p{N}_@%+=:,./-]+$/u;

/**
 * A text as one word of a command line that people copy into a POSIX shell. A word with unprintable characters becomes
 * `$'...'`, which bash, zsh and busybox read.
 */
export function shellQuote(text: string): string {
  if (PLAIN.test(text)) return text;
  if (printable(text) === text) return `'${text.replaceAll("'", `'\\''`)}'`;
  return `$'${Array.from(text, quotedCharacter).join('')}'`;
}

function quotedCharacter(character: string): string {
  if (character === '\\' || character === "'") return `\\${character}`;
  if (printable(character) === character) return character;
  return Array.from(Buffer.from(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
