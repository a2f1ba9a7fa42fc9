import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { isDue } from '../src/model/is-due.js';
import { SingleNode } from '../src/coordinator/local-executor.js';
import { Sampler, ShardBatches, type Faces } from '../src/data/index.js';
import type { EngineName } from '../src/engine/engine.js';
import { IMAGE_CHANNELS } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { localLayout, placeInLocal, placeOfPhase, readLocalStep } from '../src/model/local-layout.js';
import { LocalSteps } from '../src/model/local-steps.js';
import { shardNoise } from '../src/model/noise.js';
import { PHASES } from '../src/model/phase.js';
import { ReplicaHandle } from '../src/model/replica-handle.js';
import { sharedFloats } from '../src/model/replica-protocol.js';
import { NotFinite } from '../src/model/replica.js';
import { lastOfRound, lastUpdate, roundAt, roundUpTo } from '../src/model/round.js';
import type { ShardTrainer } from '../src/model/shard-trainer.js';
import { initialState, stateLayout } from '../src/model/state.js';
import { trainingLoad, type TrainingOptions } from '../src/model/training-options.js';
import { bytesOf } from '../src/common/bytes.js';
import { nativeIsMissing, useOneThread } from './support/engine/start-engine.js';
import { randomImages, SMALL_TRAINING } from './support/small-model.js';

const TRAINING: TrainingOptions = { ...SMALL_TRAINING, localSteps: 4 };
const MODEL = modelLayout(TRAINING);
const STATE = stateLayout(MODEL).length;

describe('a round of local steps', () => {
  it('ends where the number of steps is a multiple, and with the run', () => {
    const ends = (first: number, last: number, localSteps: number): number[] => {
      const found: number[] = [];
      for (let step = first; step <= last; step = lastOfRound(step, last, { localSteps }) + 1)
        found.push(lastOfRound(step, last, { localSteps }));
      return found;
    };
    assert.deepEqual(ends(1, 10, 4), [4, 8, 10]);
    assert.deepEqual(ends(9, 16, 4), [12, 16]);
    assert.deepEqual(ends(11, 18, 4), [12, 16, 18], 'a run that had ended with step 10');
    assert.equal(lastOfRound(7, 100, {}), 7);
    assert.deepEqual(roundUpTo(10, { localSteps: 4 }), { first: 9, last: 10 });
    assert.deepEqual(roundUpTo(8, { localSteps: 4 }), { first: 5, last: 8 });
    assert.deepEqual(roundUpTo(8, {}), { first: 8, last: 8 });
  });

  it('has the number of its last update', () => {
    assert.equal(lastUpdate('local', 8), 15);
    assert.deepEqual(roundAt(15, { localSteps: 4 }), { phase: 'local', step: 8 });
    assert.deepEqual(roundAt(15, {}), { phase: 'generator', step: 8 });
  });

  it('is followed by what is due with any of its steps', () => {
    const due = (first: number, last: number): boolean => isDue({ first, last }, 10);
    assert.deepEqual(
      [due(1, 4), due(5, 8), due(9, 12), due(10, 10), due(11, 19), due(20, 23), due(1, 40)],
      [false, false, true, true, false, true, true],
    );
    assert.equal(isDue({ first: 1, last: 100 }, 0), false);
  });
});

describe("a shard's vector after local steps", () => {
  it('holds the state, then 7 measures of each step, by its number', () => {
    const { length, state, measures } = localLayout(MODEL, 4);
    assert.deepEqual(
      [length, state.end, measures.start, measures.end],
      [STATE + 28, STATE, STATE, STATE + 28],
    );
    assert.deepEqual(placeOfPhase('discriminator', 6, 4), { start: 7, end: 11 });
    assert.deepEqual(placeOfPhase('generator', 8, 4), { start: 25, end: 28 });
    const vector = Float32Array.from({ length }, (_, i) => i - STATE);
    assert.deepEqual(readLocalStep(vector, 6, 4), {
      discriminator: { loss: 7, realScore: 8, fakeScore: 9, gradientNorm: 10 },
      generator: { loss: 11, fakeScore: 12, gradientNorm: 13 },
    });
  });

  it('says what an element is', () => {
    const place = (element: number): string =>
      placeInLocal(element, { model: MODEL, localSteps: 4, step: 7 });
    const slot = stateLayout(MODEL).slots.find(({ name }) => name === 'generator.secondMoment.layer1.kernel');
    assert.equal(place(slot?.offset ?? assert.fail()), 'generator.secondMoment.layer1.kernel');
    assert.equal(place(STATE - 1), 'generator.runningStatistics.layer2.variance');
    assert.equal(place(STATE + 10), "the discriminator's gradient of step 6");
    assert.equal(place(STATE + 14), "the discriminator's loss of step 7");
  });
});

describe('shards that train on their own', () => {
  /** A replica whose state is one number all over, to which each phase adds 1, and each shard its own hundred. */
  class FakeReplica {
    readonly asked: string[] = [];
    state = 5;

    call(name: string, request: { state?: Float32Array; into?: Float32Array }): Promise<null> {
      if (name === 'restore') this.state = request.state?.[0] ?? assert.fail();
      else request.into?.fill(this.state);
      this.asked.push(`${name} ${this.state}`);
      return Promise.resolve(null);
    }

    get asHandle(): ReplicaHandle {
      return this as unknown as ReplicaHandle;
    }

    /** `failing`: the place where a gradient is not finite. */
    computer(failing?: string): ShardTrainer {
      const train = (phase: string, step: number, shard: number) => {
        if (`${phase} ${step}` === failing) return Promise.reject(new NotFinite('generator', step));
        this.asked.push(`${phase} ${step} of shard ${shard}`);
        this.state += 1 + 100 * shard;
        return Promise.resolve({
          measures: Float32Array.from(phase === 'generator' ? [1, 2] : [3, 4, 5]),
          ...{ gradientNorm: step, seconds: 0 },
        });
      };
      return { train } as unknown as ShardTrainer;
    }
  }

  const NEXT = { step: 3, shard: 0 };
  const ROUND = { first: 1, last: 2 };

  it('begin with the state that all have, and leave it to the mean', async () => {
    const replica = new FakeReplica();
    const local = new LocalSteps(TRAINING, replica.asHandle);
    const computer = replica.computer();
    local.begin();
    const own = [];
    for (const shard of [1, 2]) own.push(await local.compute(computer, ROUND, shard, NEXT));
    assert.deepEqual(
      own.map((gradient) => gradient?.vector[STATE - 1]),
      [5 + 4 * 101, 5 + 4 * 201],
    );
    assert.deepEqual(
      [...(own[0]?.vector.subarray(STATE) ?? [])],
      [...[3, 4, 5, 1, 1, 2, 1, 3, 4, 5, 2, 1, 2, 2], ...new Array<number>(14).fill(0)],
    );
    const steps = (shard: number): string[] =>
      [1, 2].flatMap((step) => PHASES.map((phase) => `${phase} ${step} of shard ${shard}`));
    assert.deepEqual(replica.asked, [
      ...['save 5', ...steps(1), 'save 409'],
      ...['restore 5', ...steps(2), 'save 809'],
    ]);

    replica.asked.length = 0;
    await local.comeBack();
    await local.comeBack();
    await local.takeOver(new Float32Array(STATE + 28).fill(7));
    local.begin();
    await local.compute(computer, ROUND, 0, NEXT);
    assert.deepEqual(replica.asked, ['restore 5', 'restore 7', ...steps(0), 'save 11']);
  });

  it('take no more memory with each round, but what was given up stays as it is', async () => {
    const replica = new FakeReplica();
    const local = new LocalSteps(TRAINING, replica.asHandle);
    const round = async (): Promise<Float32Array[]> => {
      local.begin();
      const vectors = [];
      for (const shard of [0, 1]) {
        const { vector } =
          (await local.compute(replica.computer(), ROUND, shard, NEXT)) ?? assert.fail('it was given up');
        vectors.push(vector);
      }
      return vectors;
    };
    const first = await round();
    await local.takeOver(new Float32Array(STATE + 28));
    const second = await round();
    assert.deepEqual(new Set(second), new Set(first));
    const again = await round();
    for (const vector of again) assert.ok(!second.includes(vector));
  });

  it('go no further than a gradient that is not finite, and say where it was', async () => {
    const replica = new FakeReplica();
    const local = new LocalSteps(TRAINING, replica.asHandle);
    local.begin();
    const { vector } =
      (await local.compute(replica.computer('generator 2'), ROUND, 0, NEXT)) ?? assert.fail();
    const element = vector.findIndex((value) => !Number.isFinite(value));
    assert.equal(
      placeInLocal(element, { model: MODEL, localSteps: 4, step: 2 }),
      "the generator's gradient of step 2",
    );
    assert.equal(replica.asked.at(-1), 'discriminator 2 of shard 0');
  });

  it('are given up between two phases where nobody wants them any more', async () => {
    const replica = new FakeReplica();
    const local = new LocalSteps(TRAINING, replica.asHandle);
    local.begin();
    const isWanted = (): boolean => replica.asked.length < 3;
    assert.equal(await local.compute(replica.computer(), ROUND, 0, NEXT, isWanted), undefined);
    await local.comeBack();
    assert.deepEqual(replica.asked.at(-1), 'restore 5');
    assert.equal(replica.asked.length, 4);
  });
});

/** Images that the test knows: image i of the drawn ones. */
class KnownFaces {
  readonly count = 64;
  readonly size = TRAINING.imageSize;
  readonly fingerprint = '0'.repeat(64);
  readonly #pixels = randomImages(TRAINING, this.count);

  read(indices: readonly number[], into: Uint8Array): void {
    const length = into.length / indices.length;
    indices.forEach((index, place) => {
      for (let i = 0; i < length; i++)
        into[place * length + i] = Math.round(127.5 * (this.#pixels[index * length + i] + 1));
    });
  }
}

for (const engine of ['native', 'wasm'] as const satisfies readonly EngineName[])
  describe(
    `the state after three local steps of two shards, on the ${engine} engine`,
    { timeout: 120_000 },
    () => {
      const skip = engine === 'native' ? nativeIsMissing() : undefined;
      const faces = new KnownFaces() as unknown as Faces;
      const sampler = new Sampler({ count: 64, batch: 16, shards: 2, seed: TRAINING.seed });
      const states: Float32Array[] = [];
      const losses: number[][] = [];

      before(async () => {
        useOneThread();
        if (skip !== undefined) return;
        // Each shard by itself, by direct calls.
        for (const shard of [0, 1]) {
          const replica = new ReplicaHandle();
          try {
            await replica.call('load', trainingLoad(engine, TRAINING));
            await replica.call('restore', { state: initialState(MODEL, TRAINING.seed) });
            const batches = new ShardBatches(faces, sampler);
            const images = sharedFloats(8 * TRAINING.imageSize ** 2 * IMAGE_CHANNELS);
            const noise = sharedFloats(8 * TRAINING.latentSize);
            const own: number[] = [];
            for (let step = 1; step <= 3; step++) {
              batches.read(step, shard, images);
              shardNoise(TRAINING.seed, step, shard, noise);
              for (const phase of PHASES) {
                const into = sharedFloats(phase === 'generator' ? 2 : 3);
                await replica.call('train', {
                  ...{ phase, step, noise, into },
                  ...(phase === 'discriminator' && { images }),
                });
                own.push(into[0]);
              }
            }
            losses.push(own);
            const state = sharedFloats(STATE);
            await replica.call('save', { into: state });
            states.push(state);
          } finally {
            await replica.close();
          }
        }
      });

      it(
        'is the mean of what each comes to by itself, bit for bit, and so are the losses',
        { skip },
        async () => {
          const node = await SingleNode.start({
            training: TRAINING,
            engine,
            faces,
            sampler,
            from: undefined,
          });
          try {
            const { steps, redone } = await node.trainLocally({ first: 1, last: 3 });
            const state = new Float32Array(STATE);
            const copy = await node.copyState();
            await copy.read((bytes, offset) => {
              bytesOf(state).set(bytes, offset);
            });
            const mean = (one: number, other: number): number => Math.fround(Math.fround(one + other) / 2);
            const expected = states[0].map((value, i) => mean(value, states[1][i]));
            assert.ok(Buffer.from(bytesOf(state)).equals(bytesOf(expected)), 'the state is not the mean');
            assert.notDeepEqual(states[0], states[1]);
            assert.equal(redone, 0);
            assert.deepEqual(
              steps.flatMap(({ discriminator, generator }) => [discriminator.loss, generator.loss]),
              losses[0].map((loss, i) => mean(loss, losses[1][i])),
            );
          } finally {
            await node.close();
          }
        },
      );
    },
  );
