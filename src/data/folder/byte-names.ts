import { isUtf8 } from 'node:buffer';

/*
 * File names are bytes. As Python does (surrogateescape), a name that is not UTF-8 becomes a text in which each byte
 * that belongs to no character is a lone surrogate, U+DC80 to U+DCFF: nothing is lost, and names sort as in Python.
 */

const ESCAPED_BYTE = /([\uDC80-\uDCFF])/u; // With the flag, it matches no half of a pair.

/** Returns the text that stands for a file's name. */
export function nameOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let name = '';
  for (let at = 0; at < bytes.length;) {
    const character = bytes.subarray(at, at + characterBytes(bytes[at]));
    const isWhole = isUtf8(character);
    name += isWhole ? character.toString() : String.fromCharCode(0xdc00 + bytes[at]);
    at += isWhole ? character.length : 1;
  }
  return name;
}

/** Bytes of the UTF-8 character that begins with this one. */
function characterBytes(first: number): number {
  if (first < 0xc0) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** Returns a path in the form that Node's file functions need: as bytes if it is not UTF-8. */
export function systemPath(path: string): string | Buffer {
  if (!ESCAPED_BYTE.test(path)) return path;
  const parts = path.split(ESCAPED_BYTE);
  return Buffer.concat(
    parts.map((part) =>
      ESCAPED_BYTE.test(part) ? Buffer.of(part.charCodeAt(0) - 0xdc00) : Buffer.from(part),
    ),
  );
}

/** Returns a path with each byte that belongs to no character as \xE9. `printable` escapes everything else. */
export function readablePath(path: string): string {
  return path.replaceAll(
    /[\uDC80-\uDCFF]/gu,
    (escaped) => `\\x${(escaped.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
