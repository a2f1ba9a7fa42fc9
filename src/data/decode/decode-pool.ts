import { Worker } from 'node:worker_threads';
import type { DecodedFile } from './decode-file.js';
import type { DecodeReply, DecodeThreadData } from './decode-thread.js';
import { LargePictureTurn } from './large-picture-turn.js';

/** Enough that a thread finds its next file waiting; more would only hold memory. */
const FILES_AHEAD = 8; // a thread

/** Decodes files on several threads. Close it, whatever happens. */
export class DecodePool {
  readonly #threads: readonly DecodeThread[];

  constructor(threads: number, size: number) {
    const { shared } = new LargePictureTurn();
    this.#threads = Array.from({ length: threads }, () => new DecodeThread({ size, shared }));
  }

  /** Yields what the files hold, in their order, with a bounded number of files in flight. */
  async *decode(paths: Iterable<string>): AsyncGenerator<DecodedFile> {
    const inFlight: Promise<DecodedFile>[] = [];
    for (const path of paths) {
      inFlight.push(this.#idlest().decode(path));
      const next = inFlight.length < this.#threads.length * FILES_AHEAD ? undefined : inFlight.shift();
      if (next) yield await next;
    }
    for (const next of inFlight) yield await next;
  }

  #idlest(): DecodeThread {
    return this.#threads.reduce((best, thread) => (thread.pending < best.pending ? thread : best));
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

interface Waiting {
  readonly resolve: (file: DecodedFile) => void;
  readonly reject: (error: Error) => void;
}

class DecodeThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];

  constructor(workerData: DecodeThreadData) {
    this.#worker = new Worker(new URL('decode-thread.js', import.meta.url), {
      workerData,
    });
    this.#worker.on('message', (reply: DecodeReply) => {
      const waiting = this.#waiting.shift();
      if (reply.kind === 'failed') waiting?.reject(new Error(reply.message));
      else waiting?.resolve(reply);
    });
    this.#worker.on('error', (error) => {
      for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
    });
  }

  get pending(): number {
    return this.#waiting.length;
  }

  decode(path: string): Promise<DecodedFile> {
    const decoded = new Promise<DecodedFile>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    decoded.catch(() => undefined); // Awaited later, in order: until then a failure has no taker.
    this.#worker.postMessage(path);
    return decoded;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
