import { relative } from 'node:path';

/** A message to the user, before the progress bar begins and after it ended. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A path as short as it can be typed from here. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
