import { realpathSync, type Dirent } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';

/** Which links of a folder are followed: those that end within it, or all. */
export class LinkRule {
  readonly #root: string;
  #leftOut = 0;

  constructor(
    root: string,
    private readonly followAll: boolean,
  ) {
    this.#root = realpathSync.native(root);
  }

  /** Links that were not followed. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Whether an entry of a folder below the root may be looked at. Only a link costs anything. */
  admits(folder: string, entry: Dirent): boolean {
    if (this.followAll || !entry.isSymbolicLink() || this.#endsWithin(join(folder, entry.name))) return true;
    this.#leftOut++;
    return false;
  }

  #endsWithin(link: string): boolean {
    try {
      const way = relative(this.#root, realpathSync.native(link));
      return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
    } catch {
      return true; // It leads nowhere, or in a circle: there is nothing to be read.
    }
  }
}
