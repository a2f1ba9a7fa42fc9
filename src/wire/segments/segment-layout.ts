import { TOKEN_BYTES } from './segment-name.js';

/**
 * Layout of a segment: a header with the reuse count (32-bit integer) and the tokens of the segments that its owner
 * reads, separated by zeros; then the data.
 */
export const HEADER_BYTES = 4096;

/** Alignment of data: for arrays of floats, and one cache line each. */
export const ALIGNMENT = 64;

const READS_AT = ALIGNMENT;
const MOST_READ = (HEADER_BYTES - READS_AT) / TOKEN_BYTES;

/** The header of a mapped segment. */
export class SegmentHeader {
  readonly #uses: Int32Array;
  readonly #slots: readonly Buffer[];
  /** The slot of the token that was looked for last. */
  #found = 0;

  constructor({ buffer, byteOffset }: Uint8Array<ArrayBuffer>) {
    this.#uses = new Int32Array(buffer, byteOffset, 1);
    this.#slots = Array.from({ length: MOST_READ }, (_, slot) =>
      Buffer.from(buffer, byteOffset + READS_AT + slot * TOKEN_BYTES, TOKEN_BYTES),
    );
  }

  /** Reuse count of the segment. */
  get uses(): number {
    return Atomics.load(this.#uses, 0) >>> 0;
  }

  useAnew(): void {
    Atomics.add(this.#uses, 0, 1);
  }

  /** Returns whether its owner says that it reads the segment of this token. */
  reads(token: Uint8Array): boolean {
    // It is asked for each part, and the answer is where it was.
    if (this.#slots[this.#found].equals(token)) return true;
    this.#found = Math.max(
      0,
      this.#slots.findIndex((slot) => slot.equals(token)),
    );
    return this.#slots[this.#found].equals(token);
  }

  /** Says which segments are read. Those that find no room are not said: what is for this process comes by message then. */
  sayReads(tokens: readonly string[]): void {
    for (const [index, slot] of this.#slots.entries())
      if (index < tokens.length) slot.write(tokens[index], 'hex');
      else slot.fill(0);
  }
}
