import { relative } from 'node:path';

/** A message to the user, before the progress bar begins and after it ended. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Says what happens during a run: on stderr, or by way of what else is shown there. */
export class Voice {
  #way = say;

  readonly say = (line: string): void => {
    this.#way(line);
  };

  /** From now on. */
  goThrough(way: (line: string) => void): void {
    this.#way = way;
  }
}

/** A path as short as it can be typed from here. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
