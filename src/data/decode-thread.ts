import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../common/errors.js';
import { decodeFile, type DecodedFile } from './decode-file.js';

/** A thread of the DecodePool: paths come in, faces go out, in the same order. */

export interface DecodeThreadData {
  /** Pixels a side. */
  readonly size: number;
}

export type DecodeReply = DecodedFile | { readonly kind: 'failed'; readonly message: string };

const port = parentPort;
if (!port) throw new Error('decode-thread runs in a worker thread');
const { size } = workerData as DecodeThreadData;

let previous: Promise<unknown> = Promise.resolve();
port.on('message', (path: string) => {
  previous = previous.then(async () => {
    const reply = await decodeFile(path, size).catch((error: unknown): DecodeReply => ({
      kind: 'failed',
      message: messageOf(error),
    }));
    port.postMessage(reply, reply.kind === 'face' ? [reply.pixels.buffer] : []);
  });
});
