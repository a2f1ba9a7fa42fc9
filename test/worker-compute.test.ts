import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Sampler, type Faces } from '../src/data/index.js';
import { modelLayout } from '../src/model/layout.js';
import { shardNoise } from '../src/model/noise.js';
import { phaseLayout, updateNumber, type Phase } from '../src/model/phase.js';
import { Source } from '../src/wire/message.js';
import { ShardHost } from '../src/worker/shard-host.js';
import type { RunContext } from '../src/worker/run-context.js';
import { computingHandle } from './support/engine/replica-call.js';
import { SMALL_TRAINING } from './support/small-model.js';

const { batchSize, shards: SHARDS, seed, latentSize } = SMALL_TRAINING;
const STEP = 5;

/** A worker that hosts all shards, and what its compute thread is asked for, with the first number of the noise. */
async function hosted(): Promise<{
  host: ShardHost;
  asked: string[];
  compute: (phase: Phase) => Promise<void>;
}> {
  const asked: string[] = [];
  const replica = computingHandle(
    ({ phase, noise }) => {
      asked.push(`${phase} ${noise[0]}`);
      return new Float32Array(phaseLayout(phase, modelLayout(SMALL_TRAINING)).length);
    },
    ({ noise }) => {
      asked.push(`ahead ${noise[0]}`);
    },
  );
  const count = 4 * batchSize;
  const faces = { count, size: SMALL_TRAINING.imageSize, read: () => undefined } as unknown as Faces;
  const sampler = new Sampler({ count, batch: batchSize, shards: SHARDS, seed });
  const run = { options: SMALL_TRAINING, replica, faces, sampler, update: 0 };
  const host = new ShardHost(run as unknown as RunContext, () => Promise.resolve());
  host.begin(1);
  const nobody = { source: Source.KEEP, stateDigest: '', workerOfShard: [], neighbours: [] };
  run.update = updateNumber('discriminator', STEP);
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  await host.assign({ shards, ...nobody }, 1, run.update);
  const compute = (phase: Phase): Promise<void> => {
    run.update = updateNumber(phase, STEP);
    return host.compute({ phase, step: STEP, steps: 0, generation: 1, collect: true });
  };
  return { host, asked, compute };
}

const firstOf = (step: number, shard: number): number =>
  shardNoise(seed, step, shard, new Float32Array((batchSize / SHARDS) * latentSize))[0];
const each = (what: string): string[] =>
  Array.from({ length: SHARDS }, (_, shard) => `${what} ${firstOf(STEP, shard)}`);

describe('what a worker computes of a step', () => {
  it('is every shard in both phases, and then the next step from its first shard on, ahead', async () => {
    const { asked, compute } = await hosted();
    await compute('discriminator');
    assert.deepEqual(asked, each('discriminator'));
    await compute('generator');
    assert.deepEqual(asked.splice(SHARDS), [...each('generator'), `ahead ${firstOf(STEP + 1, 0)}`]);
  });

  it('is nothing ahead where its generation is over before the phase is', async () => {
    const { host, asked, compute } = await hosted();
    const computing = compute('generator');
    host.begin(2);
    await computing;
    assert.deepEqual(asked, each('generator').slice(0, asked.length));
    assert.ok(asked.length < SHARDS);
  });
});
