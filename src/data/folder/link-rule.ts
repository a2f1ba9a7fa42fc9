import { realpathSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { nameOf, systemPath } from './byte-names.js';

/** Which links of a folder are followed: those that end within it, or all. */
export class LinkRule {
  readonly #root: string;

  constructor(
    root: string,
    private readonly followAll: boolean,
  ) {
    this.#root = realPathOf(root);
  }

  /** Returns whether a link below the root may be followed. */
  admits(link: string): boolean {
    return this.followAll || this.#endsWithin(link);
  }

  #endsWithin(link: string): boolean {
    try {
      const way = relative(this.#root, realPathOf(join(this.#root, link)));
      return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
    } catch {
      return true; // It leads nowhere, or in a circle: there is nothing to be read.
    }
  }
}

function realPathOf(path: string): string {
  return nameOf(realpathSync.native(systemPath(path), { encoding: 'buffer' }));
}
