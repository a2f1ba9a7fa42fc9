import { closeSync, fstatSync, futimesSync, openSync, readSync } from 'node:fs';
import { decodeHeader, faceBytes, HEADER_BYTES, packBytes, type PackHeader } from './pack/pack-format.js';

/** A file in the cache that is no pack, or not a whole one. */
export class DamagedPack extends Error {
  override readonly name = 'DamagedPack';
}

/** The faces of a pack, read where they lie: the operating system keeps them in memory as it sees fit. */
export class Faces {
  readonly #file: number;
  readonly #path: string;
  readonly #faceBytes: number;
  readonly count: number;
  /** Pixels a side. */
  readonly size: number;
  readonly fingerprint: string;

  private constructor(file: number, path: string, header: PackHeader) {
    this.#file = file;
    this.#path = path;
    this.#faceBytes = faceBytes(header.size);
    this.count = header.count;
    this.size = header.size;
    this.fingerprint = header.fingerprint;
  }

  /** Throws DamagedPack where the file is not a whole pack. */
  static open(path: string): Faces {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(HEADER_BYTES);
      readSync(file, bytes, 0, HEADER_BYTES, 0);
      const header = decodeHeader(bytes);
      if (!header) throw new DamagedPack(`${path} is not a pack of faces: remove it`);
      const { size: length } = fstatSync(file);
      if (length !== packBytes(header)) {
        throw new DamagedPack(
          `the pack ${path} has ${length} bytes, its ${header.count} faces need ${packBytes(header)}: remove it`,
        );
      }
      markUsed(file);
      return new Faces(file, path, header);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** Copies these faces, in this order. -> [indices.length, size, size, 3] */
  read(indices: Uint32Array | readonly number[], into: Uint8Array): void {
    const length = this.#faceBytes;
    if (into.length !== indices.length * length) {
      throw new RangeError(
        `${indices.length} faces have ${indices.length * length} bytes, not ${into.length}`,
      );
    }
    let offset = 0;
    for (const index of indices) {
      if (!(index >= 0 && index < this.count)) {
        throw new RangeError(`there is no face ${index} in ${this.#path}, which has ${this.count}`);
      }
      this.#readFace(index, into, offset);
      offset += length;
    }
  }

  #readFace(index: number, into: Uint8Array, offset: number): void {
    let done = 0;
    while (done < this.#faceBytes) {
      const position = HEADER_BYTES + index * this.#faceBytes + done;
      const read = readSync(this.#file, into, offset + done, this.#faceBytes - done, position);
      if (read === 0) throw new DamagedPack(`the pack ${this.#path} was cut off while it was read`);
      done += read;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Touches a pack, since unused packs are removed after a while: see PackCache. */
function markUsed(file: number): void {
  const now = new Date();
  try {
    futimesSync(file, now, now);
  } catch {
    // The cache is another's, or read-only: then it is not ours to clear either.
  }
}
