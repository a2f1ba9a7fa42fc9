import { statfs } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** A disk of another machine may not answer; a page of metrics does not wait for it. In milliseconds. */
const LIMIT = 1_000;

/** The disk that a folder is on. */
export class DiskSpace {
  #asked: Promise<number | undefined> | undefined;

  constructor(private readonly folder: string) {}

  /** Bytes that we may still write; undefined where the disk does not say so in time. It is asked once at a time. */
  async free(): Promise<number | undefined> {
    const asked = (this.#asked ??= this.#ask());
    const timer = new AbortController();
    try {
      return await Promise.race([asked, pause(LIMIT, undefined, { signal: timer.signal })]);
    } finally {
      timer.abort();
    }
  }

  async #ask(): Promise<number | undefined> {
    try {
      const { bavail, bsize } = await statfs(this.folder);
      return bavail * bsize;
    } catch {
      return undefined;
    } finally {
      this.#asked = undefined;
    }
  }
}
