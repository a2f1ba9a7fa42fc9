import { stat } from 'node:fs/promises';
import { readTextLines } from '../run/text-lines.js';

/** Reads what a file of lines has more than before. */
export class LineTail {
  #end = 0;

  constructor(private readonly path: string) {}

  /** Hands over each new line. False where the file has been cut: it has to be read from its beginning. */
  async read(take: (text: string) => void): Promise<boolean> {
    const size = await sizeOf(this.path);
    if (size < this.#end) return false;
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

/** 0 where there is no such file yet. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
