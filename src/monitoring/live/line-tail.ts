import { codeOf } from '../../common/errors.js';
import { readTextLines } from '../../run/text-lines.js';

/** Reads what a file of lines has more than before. */
export class LineTail {
  /** The last line that was read, and the byte where it begins. */
  #last: { readonly text: string; readonly start: number } | undefined;

  constructor(private readonly path: string) {}

  /**
   * Hands over each new line. False if the file has been cut or replaced: it has to be read from its beginning, after
   * a call of `rewind`.
   *
   * The last line is looked at again, by the same opening of the file that reads on: another file may have been put in its
   * place at any moment, be longer, and have the number in the file system (inode) that the one before it has set free.
   */
  async read(take: (text: string) => void): Promise<boolean> {
    const known = this.#last;
    let start = known?.start ?? 0;
    let isWhereItWas = known === undefined;
    try {
      for await (const { text, end, whole } of readTextLines(this.path, start)) {
        // Of a line that is being written there is more the next time.
        if (!whole) break;
        if (isWhereItWas) {
          take(text);
          this.#last = { text, start };
        } else if (text !== known?.text) return false;
        isWhereItWas = true;
        start = end;
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    return isWhereItWas;
  }

  rewind(): void {
    this.#last = undefined;
  }
}
