import { relative } from 'node:path';
import { printable } from '#printable';
import { shellQuote } from './shell-quote.js';

/** A path from the working directory if it lies there. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short || '.';
}

/** A path as short as it can be, to be read. */
export function shown(path: string): string {
  return printable(shortPath(path));
}

/** The same as a word of a command line. */
export function typed(path: string): string {
  const short = shortPath(path);
  return shellQuote(short.startsWith('-') ? `./${short}` : short);
}
