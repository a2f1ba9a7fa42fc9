import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { modelLayout } from '../src/model/layout.js';
import { localLayout } from '../src/model/local-layout.js';
import { LocalSteps } from '../src/model/local-steps.js';
import { phaseLayout, updateNumber, type Phase } from '../src/model/phase.js';
import type { ReplicaHandle } from '../src/model/replica-handle.js';
import type { RoundName } from '../src/model/round.js';
import type { TrainingOptions } from '../src/model/training-options.js';
import { bytesOf } from '../src/common/bytes.js';
import { chunkOffsets } from '../src/wire/chunks.js';
import { Content, type MessageOf } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { ShardHost } from '../src/worker/shard-host.js';
import type { RunContext } from '../src/worker/run-context.js';
import { SessionLost } from '../src/worker/session-lost.js';
import { SMALL_MODEL } from './support/small-model.js';

/** Large enough for averages of several chunks. */
const MODEL = { ...SMALL_MODEL, generatorFeatures: 64, discriminatorFeatures: 64 };

const average = (phase: Phase, value: number): Float32Array =>
  new Float32Array(phaseLayout(phase, modelLayout(MODEL)).length).fill(value);

function* chunksOf(phase: RoundName, step: number, values: Float32Array): Generator<MessageOf<'chunk'>> {
  const bytes = bytesOf(values);
  for (const { offset, length } of chunkOffsets(bytes.length)) {
    const payload = bytes.subarray(offset, offset + length);
    const body = { content: Content.AVERAGE, shard: 0, offset, total: bytes.length, request: 0, payload };
    yield { run: 'r', generation: 1, step, phase, kind: 'chunk', body };
  }
}

describe('the average that a worker gets', () => {
  /** What the replica was asked for. */
  let asked: {
    readonly name: string;
    readonly phase: Phase;
    readonly step: number;
    readonly first: number;
  }[];
  let host: ShardHost;
  let run: RunContext;

  beforeEach(() => {
    asked = [];
    const replica = {
      call: (name: string, request: { phase: Phase; step: number; averaged: Float32Array }) => {
        const { phase, step, averaged } = request;
        asked.push({ name, phase, step, first: averaged[0] });
        return Promise.resolve();
      },
    };
    const update = updateNumber('discriminator', 3);
    run = { options: MODEL as TrainingOptions, replica, update } as unknown as RunContext;
    host = new ShardHost(run, () => Promise.resolve());
  });

  function receive(phase: Phase, step: number, value: number): void {
    for (const message of chunksOf(phase, step, average(phase, value))) host.receiveChunk(message);
  }

  function refuses(phase: Phase, step: number): void {
    assert.throws(
      () => host.confirmAverage(phase, step),
      (error) => error instanceof Rejection && error.reason === 'unexpected',
    );
    assert.deepEqual(asked, []);
  }

  it('changes nothing before the coordinator says so, and is applied once when it does', async () => {
    receive('discriminator', 3, 0.5);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(asked, []);
    await host.confirmAverage('discriminator', 3)();
    assert.deepEqual(asked, [{ name: 'apply', phase: 'discriminator', step: 3, first: 0.5 }]);
    assert.equal(run.update, updateNumber('generator', 3));
    asked = [];
    refuses('discriminator', 3);
  });

  it('is never applied to the state of another update', async () => {
    for (const [phase, step] of [
      ['generator', 3],
      ['discriminator', 4],
      ['generator', 2],
    ] as const) {
      receive(phase, step, 0.5);
      await assert.rejects(host.confirmAverage(phase, step), (error) => error instanceof SessionLost);
    }
    assert.deepEqual(asked, []);
    assert.equal(run.update, updateNumber('discriminator', 3));
  });

  it('is not applied in the place of another, nor before the whole of it is here', async () => {
    refuses('discriminator', 3);
    const [first, ...others] = chunksOf('generator', 3, average('generator', 0.5));
    assert.ok(others.length > 0);
    host.receiveChunk(first);
    refuses('generator', 3);
    for (const message of others) host.receiveChunk(message);
    refuses('discriminator', 3);
    refuses('generator', 2);
    run.update = updateNumber('generator', 3);
    await host.confirmAverage('generator', 3)();
    assert.equal(asked.length, 1);
  });

  it('that is never confirmed gives way to the next', async () => {
    receive('discriminator', 3, NaN);
    receive('discriminator', 4, 2);
    refuses('discriminator', 3);
    run.update = updateNumber('discriminator', 4);
    await host.confirmAverage('discriminator', 4)();
    assert.deepEqual(asked, [{ name: 'apply', phase: 'discriminator', step: 4, first: 2 }]);
  });
});

describe('the mean of states that a worker gets after local steps', () => {
  const training = { ...MODEL, localSteps: 4 } as TrainingOptions;
  const { length } = localLayout(modelLayout(MODEL), 4);
  let restored: number[];
  let run: RunContext;
  let host: ShardHost;

  beforeEach(() => {
    restored = [];
    const call = (name: string, { state }: { state: Float32Array }): Promise<null> => {
      assert.equal(name, 'restore');
      assert.equal(state.length, length - 4 * 7);
      restored.push(state[0]);
      return Promise.resolve(null);
    };
    const replica = { call } as unknown as ReplicaHandle;
    const local = new LocalSteps(training, replica);
    run = { options: training, replica, local, update: undefined } as unknown as RunContext;
    host = new ShardHost(run, () => Promise.resolve());
  });

  it('takes the place of whatever state it has, or of none', async () => {
    for (const [step, before] of [
      [8, undefined],
      [12, 3],
    ] as const) {
      run.update = before;
      for (const chunk of chunksOf('local', step, new Float32Array(length).fill(step)))
        host.receiveChunk(chunk);
      assert.deepEqual(restored, [], 'not before the coordinator says so');
      await host.confirmAverage('local', step)();
      assert.deepEqual(restored.splice(0), [step]);
      assert.equal(run.update, updateNumber('discriminator', step + 1));
    }
  });

  it('is no average of a phase, which such a run does not have', () => {
    const [chunk] = chunksOf('generator', 3, average('generator', 0.5));
    assert.throws(() => {
      host.receiveChunk(chunk);
    }, Rejection);
    assert.throws(() => host.confirmAverage('discriminator', 3), Rejection);
  });
});
