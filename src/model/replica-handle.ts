import { Worker } from 'node:worker_threads';
import { Deferred } from '../common/deferred.js';
import type { AnswerMessage, CallName, ReplicaCalls } from './replica-protocol.js';

/** The compute thread could not do what it was asked to, or ended. */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';
}

/** The main thread's end of the compute thread: one replica on one device. */
export class ReplicaHandle {
  readonly #thread = new Worker(new URL('./replica-thread.js', import.meta.url));
  readonly #waiting = new Map<number, Deferred<unknown>>();
  #lastId = 0;
  #ended: ComputeError | undefined;

  constructor() {
    this.#thread.on('message', (message: AnswerMessage) => {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ('error' in message) waiting?.reject(new ComputeError(message.error));
      else waiting?.resolve(message.response);
    });
    this.#thread.on('error', (error) => {
      this.#end(new ComputeError(`the compute thread failed: ${error.message}`));
    });
    this.#thread.on('exit', (code) => {
      this.#end(new ComputeError(`the compute thread ended with code ${code}`));
    });
  }

  /** Asks the compute thread; calls are done one after the other, in order. */
  call<Name extends CallName>(
    name: Name,
    request: ReplicaCalls[Name]['request'],
  ): Promise<ReplicaCalls[Name]['response']> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    const answered = new Deferred<unknown>();
    this.#waiting.set(id, answered);
    this.#thread.postMessage({ id, name, request });
    return answered.promise as Promise<ReplicaCalls[Name]['response']>;
  }

  /** Ends the thread and abandons its computation. */
  async close(): Promise<void> {
    this.#end(new ComputeError('the compute thread was closed'));
    await this.#thread.terminate();
  }

  #end(reason: ComputeError): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
