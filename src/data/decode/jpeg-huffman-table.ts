export const MAX_CODE_BITS = 16;

interface Code {
  readonly bits: number;
  readonly symbol: number;
}

/** A Huffman table of a JPEG: codes of up to 16 bits for symbols of 8. */
export class JpegHuffmanTable {
  /** Symbols take one bit more than the longest code where no code fits, and mean zero, as libjpeg has it. */
  static readonly #noCode: Code = { bits: MAX_CODE_BITS + 1, symbol: 0 };
  static readonly empty = new JpegHuffmanTable([], new Uint8Array());

  /** The code that each 16 bits begin with. */
  readonly #codes: Code[];

  /** `counts`: how many codes there are of each length, from 1 bit on. */
  constructor(counts: readonly number[], symbols: Uint8Array) {
    this.#codes = new Array<Code>(1 << MAX_CODE_BITS).fill(JpegHuffmanTable.#noCode);
    let start = 0;
    let next = 0;
    for (const [index, count] of counts.entries()) {
      const bits = index + 1;
      for (let i = 0; i < count; i++) {
        const end = start + (1 << (MAX_CODE_BITS - bits));
        this.#codes.fill({ bits, symbol: symbols[next++] ?? 0 }, start, end);
        start = end;
      }
    }
  }

  /** Reads a segment of tables: class and number of each, and the table. */
  static readAll(body: Uint8Array): [number, JpegHuffmanTable][] {
    const tables: [number, JpegHuffmanTable][] = [];
    for (let at = 0; at + 1 + MAX_CODE_BITS <= body.length;) {
      const id = body[at];
      const counts = [...body.subarray(at + 1, at + 1 + MAX_CODE_BITS)];
      at += 1 + MAX_CODE_BITS;
      const length = counts.reduce((sum, count) => sum + count, 0);
      tables.push([id, new JpegHuffmanTable(counts, body.subarray(at, at + length))]);
      at += length;
    }
    return tables;
  }

  /** Returns the code that 16 bits begin with. */
  find(bits: number): Code {
    return this.#codes[bits];
  }
}
