import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../common/errors.js';
import { decodeFile, type DecodedFile } from './decode-file.js';
import { LargePictureTurn } from './large-picture-turn.js';

/** A thread of the DecodePool: paths come in, faces go out, in the same order. */

export interface DecodeThreadData {
  /** Pixels a side. */
  readonly size: number;
  /** State of the threads' LargePictureTurn. */
  readonly shared: Int32Array<SharedArrayBuffer>;
}

export type DecodeReply = DecodedFile | { readonly kind: 'failed'; readonly message: string };

const port = parentPort;
if (!port) throw new Error('decode-thread runs in a worker thread');
const { size, shared } = workerData as DecodeThreadData;
const turn = new LargePictureTurn(shared);

let previous: Promise<unknown> = Promise.resolve();
port.on('message', (path: string) => {
  previous = previous.then(async () => {
    const reply = await decodeFile(path, size, turn).catch((error: unknown): DecodeReply => ({
      kind: 'failed',
      message: messageOf(error),
    }));
    port.postMessage(reply, reply.kind === 'face' ? [reply.pixels.buffer] : []);
  });
});
