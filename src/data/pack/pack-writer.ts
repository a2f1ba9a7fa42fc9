import type { Hash } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf, UserError } from '../../common/errors.js';
import { temporaryName } from '../../common/files/temporary-name.js';
import { encodeHeader, faceBytes, HEADER_BYTES, pixelHash, type PackHeader } from './pack-format.js';

export interface PackWriterOptions {
  /** Pixels a side. */
  readonly size: number;
  /** Count of faces, if known: fewer or more are refused. */
  readonly count?: number;
  /** The dataset's, where this pack holds a part of it; otherwise that of the pixels written. */
  readonly fingerprint?: string;
  /** Path of the incomplete pack. */
  readonly temporary?: string;
}

/** Bytes that are written at a time. */
const GATHERED_BYTES = 2 ** 20;

/** Writes a pack whole or not at all. End it with finish() or abort(). */
export class PackWriter {
  readonly #file: FileHandle;
  readonly #path: string | ((header: PackHeader) => string);
  readonly #temporary: string;
  readonly #options: PackWriterOptions;
  readonly #hash: Hash;
  #written = 0; // bytes of faces
  /** Faces come one by one, and a write costs more than copying them. */
  readonly #gathering = new Uint8Array(GATHERED_BYTES);
  #gathered = 0;

  private constructor(
    file: FileHandle,
    path: string | ((header: PackHeader) => string),
    temporary: string,
    options: PackWriterOptions,
  ) {
    this.#file = file;
    this.#path = path;
    this.#temporary = temporary;
    this.#options = options;
    this.#hash = pixelHash(options.size);
  }

  /** `path` may depend on the fingerprint, which is known at the end; `temporary` is needed then. */
  static async create(path: string, options: PackWriterOptions): Promise<PackWriter>;
  static async create(
    path: (header: PackHeader) => string,
    options: PackWriterOptions & { readonly temporary: string },
  ): Promise<PackWriter>;
  static async create(
    path: string | ((header: PackHeader) => string),
    options: PackWriterOptions,
  ): Promise<PackWriter> {
    const temporary = options.temporary ?? temporaryName(String(path));
    await mkdir(dirname(temporary), { recursive: true });
    const file = await open(temporary, 'wx');
    return new PackWriter(file, path, temporary, options);
  }

  /** Appends one or more faces. [n, size, size, 3] */
  async write(records: Uint8Array): Promise<void> {
    if (records.length % faceBytes(this.#options.size) !== 0) {
      throw new RangeError(
        `${records.length} bytes are no whole number of faces of ${this.#options.size} pixels`,
      );
    }
    this.#hash.update(records);
    if (this.#gathered + records.length > this.#gathering.length) await this.#flush();
    if (records.length > this.#gathering.length) await this.#writeNext(records);
    else {
      this.#gathering.set(records, this.#gathered);
      this.#gathered += records.length;
    }
  }

  /** Makes the pack appear under its name. */
  async finish(): Promise<{ readonly path: string } & PackHeader> {
    await this.#flush();
    const digest = this.#hash.digest('hex');
    const { size, fingerprint = digest } = this.#options;
    const count = this.#written / faceBytes(size);
    if (this.#options.count !== undefined && this.#options.count !== count) {
      await this.abort();
      throw new RangeError(`${this.#options.count} faces were announced, ${count} came`);
    }
    const header = { size, count, fingerprint };
    const path = typeof this.#path === 'string' ? this.#path : this.#path(header);
    const isPart = this.#options.fingerprint !== undefined;
    await this.#writeAll(encodeHeader(header, isPart ? digest : ''), 0);
    await this.#orAbort(this.#file.sync());
    await this.#file.close();
    await this.#orAbort(rename(this.#temporary, path));
    return { path, ...header };
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }

  async #flush(): Promise<void> {
    const bytes = this.#gathering.subarray(0, this.#gathered);
    this.#gathered = 0;
    await this.#writeNext(bytes);
  }

  async #writeNext(bytes: Uint8Array): Promise<void> {
    await this.#writeAll(bytes, HEADER_BYTES + this.#written);
    this.#written += bytes.length;
  }

  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#orAbort(
        this.#file.write(bytes, done, bytes.length - done, position + done),
      );
      done += bytesWritten;
    }
  }

  async #orAbort<T>(writing: Promise<T>): Promise<T> {
    try {
      return await writing;
    } catch (error) {
      await this.abort();
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    const folder = dirname(this.#temporary);
    const code = codeOf(error) ?? '';
    if (['ENOSPC', 'EDQUOT'].includes(code))
      return new UserError(
        `no space left in ${folder} for the decoded faces: make room there, ` +
          'or name a cache folder on another disk',
      );
    if (['EPERM', 'EACCES'].includes(code))
      return new UserError(
        `cannot write decoded faces to ${folder}: ${messageOf(error)}; set DCGAN_CACHE to a folder of your own`,
      );
    return error;
  }
}
