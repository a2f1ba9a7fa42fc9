import { parentPort } from 'node:worker_threads';
import { tf } from '../engine/tensorflow.js';
import { messageOf } from '../common/errors.js';
import { loadEngine } from '../engine/load-engine.js';
import { EagerReplica } from './eager-replica.js';
import { makeReplica } from './make-replica.js';
import { NotFinite, type Replica } from './replica.js';
import type { AnswerMessage, CallMessage, ReplicaCalls, CallName } from './replica-protocol.js';

// The compute thread: reading a tensor blocks its event loop, so sockets, HTTP and input live in the main thread.

let replica: Replica | undefined;

function loaded(): Replica {
  if (!replica) throw new Error('the engine is not loaded yet');
  return replica;
}

async function answer(call: CallMessage): Promise<ReplicaCalls[CallName]['response']> {
  switch (call.name) {
    case 'load': {
      const engine = await loadEngine(call.request.engine);
      replica = await makeReplica(engine, call.request);
      return engine;
    }
    case 'restore':
      loaded().restore(call.request.state, call.request.at);
      return null;
    case 'save':
      loaded().save(call.request.into, call.request.at);
      return null;
    case 'computeRealBatch': {
      const started = performance.now();
      const { images, noise, draws } = call.request;
      loaded().computeRealBatch(images, noise, draws);
      return { seconds: (performance.now() - started) / 1000 };
    }
    case 'compute': {
      const started = performance.now();
      const { phase, images, noise, draws } = call.request;
      const vector = loaded().compute(phase, images, noise, draws) as Float32Array<ArrayBuffer>;
      return { seconds: (performance.now() - started) / 1000, vector };
    }
    case 'apply': {
      const started = performance.now();
      loaded().apply(call.request.phase, call.request.step, call.request.averaged);
      return { seconds: (performance.now() - started) / 1000 };
    }
    case 'train': {
      const started = performance.now();
      const { phase, step, images, noise, draws, into } = call.request;
      try {
        const { measures, gradientNorm } = loaded().train(phase, step, images, noise, draws);
        into.set(measures);
        return { seconds: (performance.now() - started) / 1000, gradientNorm };
      } catch (error) {
        if (error instanceof NotFinite) return { notFinite: true };
        throw error;
      }
    }
    case 'sample':
      call.request.into.set(loaded().sample(call.request.noise));
      return null;
    case 'generate':
      if (!(replica instanceof EagerReplica))
        throw new Error('faces are drawn by a replica that was not recorded');
      call.request.into.set(replica.generate(call.request.noise));
      return null;
    case 'memory': {
      const { numTensors, numBytes } = tf.memory();
      return { tensors: numTensors, bytes: numBytes };
    }
  }
}

if (!parentPort) throw new Error('replica-thread is started as a worker thread');
const port = parentPort;
let before = Promise.resolve();
port.on('message', (call: CallMessage) => {
  // One call at a time, in order: loading is the only one that waits for anything.
  before = before.then(async () => {
    let message: AnswerMessage;
    const handedOver: ArrayBuffer[] = [];
    try {
      const response = await answer(call);
      message = { id: call.id, response };
      if (response && 'vector' in response) handedOver.push(response.vector.buffer);
    } catch (error) {
      message = { id: call.id, error: messageOf(error) };
    }
    port.postMessage(message, handedOver);
  });
});
