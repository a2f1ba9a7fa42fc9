import { relative } from 'node:path';

/** A path as short as it can be typed from here. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
