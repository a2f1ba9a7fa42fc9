import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogFields } from '../src/common/log.js';
import { PendingReplies } from '../src/coordinator/fleet/pending-replies.js';
import { Rounds } from '../src/coordinator/fleet/rounds/rounds.js';
import { SLOW_STEPS, Stragglers, type Straggler } from '../src/coordinator/fleet/rounds/stragglers.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { MEASURES, PHASES } from '../src/model/phase.js';
import { bytesOf } from '../src/common/bytes.js';
import { FakeWorkerChannel, memberOf } from './support/fake-worker-channel.js';
import { SMALL_TRAINING } from './support/small-model.js';

function times(seconds: Readonly<Record<number, number>>): Map<number, number> {
  return new Map(Object.entries(seconds).map(([worker, each]) => [Number(worker), each]));
}

/** Steps in which each worker takes so long for a shard, a quarter of it in the generator's phase. */
function steps(stragglers: Stragglers, count: number, ...seconds: readonly number[]): Straggler[] {
  const named: Straggler[] = [];
  for (let step = 0; step < count; step++) {
    const share = (of: number) => times(seconds.map((each) => each * of));
    assert.deepEqual(stragglers.took('discriminator', share(0.75)), []);
    named.push(...stragglers.took('generator', share(0.25)));
  }
  return named;
}

describe('a worker that is slower than the others', () => {
  it('is named once, in its 20th step in a row, with its time and the median of theirs', () => {
    const stragglers = new Stragglers();
    assert.equal(SLOW_STEPS, 20);
    assert.deepEqual(steps(stragglers, 19, 2, 3, 1, 16), []);
    assert.deepEqual(steps(stragglers, 1, 2, 3, 1, 16), [{ worker: 3, seconds: 16, others: 2 }]);
    assert.deepEqual(steps(stragglers, 500, 2, 3, 1, 16), []);
  });

  it('is one only above 1.5 times, where the median of two others is the mean of both', () => {
    assert.deepEqual(steps(new Stragglers(), 100, 1, 3, 3), []);
    assert.deepEqual(steps(new Stragglers(), 100, 1, 2, 2.25), []);
    assert.deepEqual(steps(new Stragglers(), 20, 1, 2, 2.26), [{ worker: 2, seconds: 2.26, others: 1.5 }]);
    assert.deepEqual(steps(new Stragglers(), 20, 8, 1), [{ worker: 0, seconds: 8, others: 1 }]);
  });

  it('begins again with every step in which it is not', () => {
    const stragglers = new Stragglers();
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(steps(stragglers, 19, 1, 2), []);
      assert.deepEqual(steps(stragglers, 1, 1, 1), []);
    }
  });

  it('is named again only when it has been as fast as they for as long', () => {
    const stragglers = new Stragglers();
    assert.equal(steps(stragglers, 20, 1, 2).length, 1);
    assert.equal(steps(stragglers, 19, 1, 1).length, 0);
    assert.equal(steps(stragglers, 40, 1, 2).length, 0);
    assert.equal(steps(stragglers, 20, 1, 1).length, 0);
    assert.equal(steps(stragglers, 19, 1, 2).length, 0);
    assert.equal(steps(stragglers, 1, 1, 2).length, 1);
  });

  it('is none where it is alone, and is forgotten when it has gone', () => {
    const stragglers = new Stragglers();
    assert.deepEqual(steps(stragglers, 100, 9), []);
    assert.equal(steps(stragglers, 19, 1, 2).length, 0);
    assert.equal(steps(stragglers, 1, 1).length, 0);
    assert.equal(steps(stragglers, 19, 1, 2).length, 0);
    assert.equal(steps(stragglers, 1, 1, 2).length, 1);
  });

  it('is judged by phases that count: one that is done again once, and no step that it did a part of', () => {
    const stragglers = new Stragglers();
    for (let step = 0; step < 40; step++) {
      stragglers.took('discriminator', times({ 0: 1, 1: 50, 2: 1 }));
      stragglers.took('discriminator', times({ 0: 1, 1: 1 }));
      assert.deepEqual(stragglers.took('generator', times({ 0: 1, 1: 1, 3: 50 })), []);
    }
  });
});

describe('the rounds of a run', () => {
  it('name who is slow by the time for a shard, once, in the log and as an event', async () => {
    const said: { message: string; fields: LogFields | undefined }[] = [];
    const rounds = new Rounds({
      ...{ training: SMALL_TRAINING, liveness: 10_000, channel: new FakeWorkerChannel().asChannel },
      ...{ replies: new PendingReplies(), metrics: new RunMetrics({ batchSize: 16 }) },
      log: (message, fields) => said.push({ message, fields }),
      onLate: () => assert.fail('nobody is late'),
    });
    const group = [memberOf(0), memberOf(1)];
    // The first has three shards and takes longer in all; the second is the slow one.
    const workerOfShard = new Map([0, 0, 0, 1].map((worker, shard) => [shard, worker]));
    for (let step = 1; step <= 30; step++)
      for (const phase of PHASES) {
        const done = rounds.compute({
          phase,
          firstStep: step,
          step,
          group,
          workerOfShard,
          inspect: false,
          amongWorkers: true,
        });
        const at = { run: 'r', generation: 1, phase, step } as const;
        for (const [shard, worker] of workerOfShard) {
          const body = { shard, computeSeconds: worker === 0 ? 0.25 : 0.5 };
          rounds.shardDone(group[worker], { ...at, kind: 'shardDone', body });
        }
        for (const [index, member] of group.entries()) {
          const made = index === 0;
          const measures = made ? bytesOf(new Float32Array(MEASURES[phase].length)) : new Uint8Array();
          rounds.averaged(member, {
            ...at,
            kind: 'averaged',
            body: { parts: made ? [0] : [], squares: made ? [1] : [], measures, sentBytes: 0 },
          });
        }
        await done;
        if (step < SLOW_STEPS) assert.deepEqual(said, []);
      }
    assert.deepEqual(said, [
      {
        message:
          'worker 1 (pid 101 on h) is slow: it takes 1.00 s for a shard, the others 0.500 s, ' +
          'for 20 steps now, and all wait for it',
        fields: { level: 'warn', worker: 1, event: 'slow' },
      },
    ]);
  });
});
