import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { modelLayout } from '../src/model/layout.js';
import { shardNoise } from '../src/model/noise.js';
import { ComputeError, ReplicaHandle } from '../src/model/replica-handle.js';
import { sharedFloats } from '../src/model/replica-protocol.js';
import { EagerReplica } from '../src/model/eager-replica.js';
import { initialState, stateLayout } from '../src/model/state.js';
import { startEngine } from './support/engine/start-engine.js';
import { OPTIMIZER, randomImages, SMALL_MODEL } from './support/small-model.js';

const BATCH = 4;
const layout = modelLayout(SMALL_MODEL);
const state = initialState(layout, 1, sharedFloats(stateLayout(layout).length));
const noise = shardNoise(1, 1, 0, sharedFloats(BATCH * SMALL_MODEL.latentSize));
const images = sharedFloats(BATCH * 32 * 32 * 3);
images.set(randomImages(SMALL_MODEL, BATCH));

describe('the compute thread', () => {
  const handle = new ReplicaHandle();
  const own = new EagerReplica(SMALL_MODEL, OPTIMIZER);

  before(async () => {
    await assert.rejects(handle.call('restore', { state }), new ComputeError('the engine is not loaded yet'));
    await startEngine('wasm');
    const engine = await handle.call('load', { engine: 'wasm', model: SMALL_MODEL, optimizer: OPTIMIZER });
    assert.equal(engine.name, 'wasm');
    await handle.call('restore', { state });
    own.restore(state);
  });

  after(async () => {
    own.dispose();
    await handle.close();
  });

  it('answers with the bits of a replica in this thread', async () => {
    const drawn = sharedFloats(images.length);
    const sampled = sharedFloats(images.length);
    const saved = sharedFloats(state.length);
    const { vector: discriminator } = await handle.call('compute', { phase: 'discriminator', images, noise });
    // Asked for at once: the thread does them in order.
    const [, { vector: generator }] = await Promise.all([
      handle.call('apply', { phase: 'discriminator', step: 1, averaged: discriminator }),
      handle.call('compute', { phase: 'generator', noise }),
    ]);
    await Promise.all([
      handle.call('apply', { phase: 'generator', step: 1, averaged: generator }),
      handle.call('generate', { noise, into: drawn }),
      handle.call('sample', { noise, into: sampled }),
      handle.call('save', { into: saved }),
    ]);

    const ownDiscriminator = own.compute('discriminator', images, noise);
    own.apply('discriminator', 1, ownDiscriminator);
    const ownGenerator = own.compute('generator', undefined, noise);
    own.apply('generator', 1, ownGenerator);
    const ownState = new Float32Array(state.length);
    own.save(ownState);
    for (const [actual, expected] of [
      [discriminator, ownDiscriminator],
      [generator, ownGenerator],
      [drawn, own.generate(noise)],
      [sampled, own.sample(noise)],
      [saved, ownState],
    ] as const)
      assert.deepEqual([...actual], [...expected]);
  });

  it('leaves this thread free while it computes, and says how long that took', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const started = performance.now();
    // Long enough for the system to let this thread run meanwhile, whatever else it is busy with.
    const ask = () => handle.call('compute', { phase: 'discriminator', images, noise });
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    const waited = (performance.now() - started) / 1000;
    clearInterval(timer);
    assert.ok(ticks > 0);
    assert.ok(answers.every(({ seconds }) => seconds > 0));
    const computed = answers.reduce((sum, { seconds }) => sum + seconds, 0);
    assert.ok(computed <= waited, `${computed} s of ${waited} s`);
  });

  it('reports what it could not do, and goes on', async () => {
    await assert.rejects(handle.call('compute', { phase: 'discriminator', noise }), {
      name: 'ComputeError',
      message: 'the discriminator phase needs images',
    });
    await assert.rejects(
      handle.call('restore', { state: sharedFloats(3) }),
      /3 numbers from 0 on do not fit/,
    );
    const { tensors, bytes } = await handle.call('memory', {});
    assert.deepEqual([tensors, bytes], [8, 4 * state.length]);
  });

  it('gives up what it still has to do when it is closed, and takes no more', async () => {
    const closing = new ReplicaHandle();
    const waiting = closing.call('load', { engine: 'wasm', model: SMALL_MODEL, optimizer: OPTIMIZER });
    const closed = new ComputeError('the compute thread was closed');
    await Promise.all([assert.rejects(waiting, closed), closing.close()]);
    await assert.rejects(closing.call('memory', {}), closed);
  });
});
