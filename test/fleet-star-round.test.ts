import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meanArray } from '../src/averaging/mean-array.js';
import { writeShard } from '../src/averaging/shard-writer.js';
import { cutVector } from '../src/averaging/vector-cuts.js';
import { PartPool } from '../src/averaging/part-pool.js';
import { StarRound } from '../src/coordinator/fleet/rounds/star-round.js';
import { bytesOf } from '../src/common/bytes.js';
import { Content, Encoding, type Bodies, type Header } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { vectorChunk } from '../src/wire/vector-chunks.js';

const AT: Header = { run: 'r', generation: 1, step: 7, phase: 'generator' };
const CHUNK = 1024 * 1024;
/** Two chunks: one of a MiB, one of 8 bytes. */
const LENGTH = CHUNK / 4 + 2;
/** All but the last number, which is a measure. */
const GRADIENT = LENGTH - 1;

/** Shards 0 and 1 are with worker 0, shard 2 is with worker 1; each shard's vector is its number + 1 everywhere. */
function begin(): { round: StarRound; into: Float32Array } {
  const into = meanArray(LENGTH);
  const workerOfShard = new Map([
    [0, 0],
    [1, 0],
    [2, 1],
  ]);
  const round = new StarRound({
    ...{ phase: 'generator', step: 7, workerOfShard, summation: 'sequential' },
    ...{ into, pool: new PartPool(), gradientEnd: GRADIENT },
    cuts: cutVector({ length: LENGTH, gradientEnd: GRADIENT }),
  });
  return { round, into: into.floats };
}

function chunk(shard: number, offset: number, changes: Partial<Bodies['chunk']> = {}): Bodies['chunk'] {
  const bytes = bytesOf(new Float32Array(LENGTH).fill(shard + 1));
  // In a message, floats lie anywhere: here at an odd address.
  const payload = new Uint8Array(bytes.subarray(offset, offset + CHUNK).length + 1).subarray(1);
  payload.set(bytes.subarray(offset, offset + CHUNK));
  return { content: Content.GRADIENT, shard, offset, total: bytes.length, request: 0, payload, ...changes };
}

function send(round: StarRound, worker: number, shard: number, computeSeconds = 1): void {
  round.addChunk(worker, AT, chunk(shard, 0));
  round.addChunk(worker, AT, chunk(shard, CHUNK));
  round.shardDone(worker, AT, { shard, computeSeconds });
}

function rejects(reason: string, action: () => void): void {
  assert.throws(action, (error) => error instanceof Rejection && error.reason === reason);
}

describe('a phase of a step', () => {
  it('is complete when every shard is done, with the mean and the seconds of each worker', () => {
    const { round, into } = begin();
    send(round, 1, 2, 4);
    assert.deepEqual(round.late, [0]);
    send(round, 0, 1, 2);
    assert.equal(round.complete, false);
    send(round, 0, 0, 1);
    assert.equal(round.complete, true);
    assert.deepEqual(round.late, []);
    assert.deepEqual(
      round.secondsOfWorker,
      new Map([
        [1, 4],
        [0, 3],
      ]),
    );
    assert.equal(round.mean(), into);
    assert.ok(
      into.every((value) => value === 2),
      '(1 + 2 + 3) / 3',
    );
    assert.equal(round.gradientNorm(), 2 * Math.sqrt(GRADIENT));
  });

  it('has the mean of a place whole with its last chunk, whatever the other places lack', () => {
    const { round, into } = begin();
    assert.equal(round.addChunk(0, AT, chunk(0, 0)), undefined);
    assert.equal(round.addChunk(1, AT, chunk(2, 0)), undefined);
    assert.equal(round.addChunk(1, AT, chunk(2, CHUNK)), undefined);
    const whole = round.addChunk(0, AT, chunk(1, 0));
    assert.equal(whole?.payload.length, CHUNK);
    assert.equal(whole.payload.buffer, into.buffer);
    assert.ok(into.subarray(0, CHUNK / 4).every((value) => value === 2));
    assert.throws(() => round.gradientNorm(), /every part of every shard/);
  });

  it('rejects what does not belong to it, and comes out the same', () => {
    const { round, into } = begin();
    const other: readonly [string, () => void][] = [
      [
        'unexpected',
        () => {
          round.addChunk(0, { ...AT, step: 6 }, chunk(0, 0));
        },
      ],
      [
        'unexpected',
        () => {
          round.addChunk(0, { ...AT, phase: 'discriminator' }, chunk(0, 0));
        },
      ],
      [
        'unexpected',
        () => {
          round.addChunk(0, { ...AT, phase: undefined }, chunk(0, 0));
        },
      ],
      [
        'unexpected',
        () => {
          round.addChunk(1, AT, chunk(0, 0));
        },
      ], // not its shard
      [
        'unexpected',
        () => {
          round.addChunk(0, AT, chunk(3, 0));
        },
      ], // no such shard
      [
        'unexpected',
        () => {
          round.addChunk(0, AT, chunk(0, CHUNK));
        },
      ], // the second before the first
      [
        'out_of_range',
        () => {
          round.addChunk(0, AT, chunk(0, 0, { total: 4 * LENGTH + 4 }));
        },
      ],
      [
        'out_of_range',
        () => {
          round.addChunk(0, AT, chunk(0, 0, { payload: new Uint8Array(8) }));
        },
      ],
      [
        'out_of_range',
        () => {
          round.addChunk(0, AT, chunk(0, 0, { payload: new Uint8Array(CHUNK - 1) }));
        },
      ],
      [
        'unexpected',
        () => {
          round.shardDone(0, AT, { shard: 0, computeSeconds: 1 });
        },
      ], // nothing is here
      [
        'unexpected',
        () => {
          round.shardDone(1, AT, { shard: 0, computeSeconds: 1 });
        },
      ],
    ];
    for (const [reason, action] of other) rejects(reason, action);
    send(round, 0, 0);
    rejects('unexpected', () => {
      round.addChunk(0, AT, chunk(0, 0));
    }); // all of it a second time
    rejects('unexpected', () => {
      round.shardDone(0, AT, { shard: 0, computeSeconds: 1 });
    });
    round.addChunk(0, AT, chunk(1, 0));
    rejects('unexpected', () => {
      round.addChunk(0, AT, chunk(1, 0));
    }); // the first chunk a second time
    rejects('unexpected', () => {
      round.shardDone(0, AT, { shard: 1, computeSeconds: 1 });
    }); // half of it is here
    round.addChunk(0, AT, chunk(1, CHUNK));
    round.shardDone(0, AT, { shard: 1, computeSeconds: 1 });
    send(round, 1, 2);
    assert.ok(round.mean() === into && into.every((value) => value === 2));
  });
});

describe('a phase of a run that rounds', () => {
  const length = 40;
  const gradientEnd = 34;
  const values = (shard: number): Float32Array => new Float32Array(length).fill(shard + 1);
  const start = (wire: 'bf16'): { round: StarRound; into: Float32Array; written: Written } => {
    const into = meanArray(length, wire);
    const cuts = cutVector({ length, gradientEnd, wire });
    const round = new StarRound({
      ...{
        phase: 'generator',
        step: 7,
        workerOfShard: new Map([
          [0, 0],
          [1, 1],
        ]),
        summation: 'sequential',
      },
      ...{ into, cuts, pool: new PartPool(), gradientEnd, inspect: true },
    });
    const written: Written = (shard, vector) =>
      [...writeShard(vector, cuts, new PartPool())].map(({ cut, payload }) =>
        vectorChunk({ content: Content.GRADIENT, shard, length }, cut, payload),
      );
    return { round, into: into.floats, written };
  };
  type Written = (shard: number, vector: Float32Array) => Bodies['chunk'][];

  for (const wire of ['bf16'] as const) {
    it(`has the mean of what came in ${wire}, and hands it on in bfloat16`, () => {
      const { round, into, written } = start(wire);
      for (const body of written(0, values(0))) round.addChunk(0, AT, body);
      const parts = written(1, values(1)).map((body) => round.addChunk(1, AT, body));
      assert.deepEqual([...into], new Array(length).fill(1.5));
      assert.deepEqual(
        parts.map((part) => part?.payload.length),
        [2 * 32, 4 * 8],
      );
      assert.ok(Math.abs(round.gradientNorm() - 1.5 * Math.sqrt(gradientEnd)) < 1e-12);
    });

    it(`finds what is not finite in ${wire}`, () => {
      for (const [at, found] of [
        [20, 20],
        [36, 36],
      ]) {
        const { round, written } = start(wire);
        const vector = values(1);
        vector[at] = NaN;
        for (const body of written(1, vector)) round.addChunk(1, AT, body);
        assert.deepEqual(round.notFinite, { shard: 1, worker: 1, element: found });
      }
    });

    it(`rejects what is not written as ${wire}`, () => {
      const { round, written } = start(wire);
      const [body, last] = written(0, values(0));
      const changes: readonly [string, Partial<Bodies['chunk']>][] = [
        ['out_of_range', { encoding: Encoding.PLAIN }],
        ['out_of_range', { payload: body.payload.subarray(2) }],
        ['out_of_range', { total: 2 * length }],
        ['unexpected', { offset: last.offset }],
      ];
      for (const [reason, change] of changes)
        rejects(reason, () => {
          round.addChunk(0, AT, { ...body, ...change });
        });
      round.addChunk(0, AT, body);
      round.addChunk(0, AT, last);
      rejects('unexpected', () => {
        round.addChunk(0, AT, last);
      });
    });
  }
});
