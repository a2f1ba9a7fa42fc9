import { createReadStream } from 'node:fs';

export interface TextLine {
  readonly text: string;
  /** Bytes from the start of the file to the end of this line, its newline included. */
  readonly end: number;
  /** False for a last line without its newline, which a crash has cut off. */
  readonly whole: boolean;
}

/** Far above any line that is written here: a file of something else is refused before it fills the memory. */
export const LONGEST_LINE = 64 * 1024;

/** The lines of a file of any size, one at a time, from a byte on where a line begins. */
export async function* readTextLines(path: string, from = 0): AsyncGenerator<TextLine> {
  let rest: Buffer = Buffer.alloc(0);
  let end = from;
  for await (const chunk of createReadStream(path, { start: from }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let newline = bytes.indexOf('\n'); newline >= 0; newline = bytes.indexOf('\n', start)) {
      end += newline + 1 - start;
      yield { text: bytes.toString('utf8', start, newline), end, whole: true };
      start = newline + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LONGEST_LINE)
      throw new RangeError(`a line of ${path} is longer than ${LONGEST_LINE} bytes`);
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), end: end + rest.length, whole: false };
}
