import { stat } from 'node:fs/promises';
import { readTextLines } from '../run/text-lines.js';

/** Reads what a file of lines has more than before. */
export class LineTail {
  #end = 0;
  /** The file's number in its file system: another one was put in its place where it differs. */
  #inode = 0;

  constructor(private readonly path: string) {}

  /**
   * Hands over each new line. False where the file has been cut or replaced: it has to be read from its beginning, after
   * a call of `rewind`.
   */
  async read(take: (text: string) => void): Promise<boolean> {
    const { size, inode } = await stateOf(this.path);
    if (size < this.#end || (this.#end > 0 && inode !== this.#inode)) return false;
    this.#inode = inode;
    if (size === this.#end) return true;
    for await (const { text, end, whole } of readTextLines(this.path, this.#end)) {
      // Of a line that is being written there is more the next time.
      if (!whole) break;
      take(text);
      this.#end = end;
    }
    return true;
  }

  rewind(): void {
    this.#end = 0;
  }
}

/** Size 0 where there is no such file yet. */
async function stateOf(path: string): Promise<{ size: number; inode: number }> {
  try {
    const { size, ino } = await stat(path);
    return { size, inode: ino };
  } catch {
    return { size: 0, inode: 0 };
  }
}
