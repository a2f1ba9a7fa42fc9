import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Deferred } from '../src/common/deferred.js';
import { Pull } from '../src/wire/pull.js';
import { Content, type Bodies } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';

/** Of 10 chunks of 10 bytes and one of 5; four may be asked for ahead. */
const TOTAL = 105;
const source = Uint8Array.from({ length: TOTAL }, (_, i) => i);

function chunk(offset: number, length = Math.min(10, TOTAL - offset), total = TOTAL): Bodies['chunk'] {
  return {
    content: Content.STATE,
    shard: 0,
    offset,
    request: 0,
    total,
    payload: source.subarray(offset, offset + length),
  };
}

function isRejection(reason: string): (error: unknown) => boolean {
  return (error) => error instanceof Rejection && error.reason === reason;
}

/** A pull whose questions are kept, not answered. */
function start(take: (payload: Uint8Array, offset: number) => Promise<void> | void = () => undefined) {
  const asked: number[] = [];
  const pull = new Pull(
    TOTAL,
    10,
    (offset) => {
      asked.push(offset);
      return Promise.resolve();
    },
    take,
  );
  return { pull, asked, done: pull.start() };
}

describe('a pull', () => {
  it('asks for every chunk once, in order, and takes each at its place', async () => {
    const into = new Uint8Array(TOTAL);
    const { pull, asked, done } = start((payload, offset) => {
      into.set(payload, offset);
    });
    for (let answered = 0; answered < 11; answered++) {
      pull.receive(chunk(asked[answered]));
      await nextTurn();
    }
    await done;
    assert.deepEqual(asked, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    assert.deepEqual(into, source);
  });

  it('asks for no more than four chunks ahead of what was taken', async () => {
    const taken = [new Deferred<void>(), new Deferred<void>()];
    const { pull, asked } = start((_, offset) => taken[offset / 10].promise);
    assert.equal(asked.length, 4);
    pull.receive(chunk(0));
    pull.receive(chunk(10));
    await nextTurn();
    assert.equal(asked.length, 4, 'nothing was taken yet');
    taken[0].resolve();
    await nextTurn();
    assert.equal(asked.length, 5);
    taken[1].resolve();
    await nextTurn();
    assert.equal(asked.length, 6);
  });

  it('takes one chunk after the other, however slow it is', async () => {
    const order: string[] = [];
    const first = new Deferred<void>();
    const { pull } = start(async (_, offset) => {
      order.push(`begin ${offset}`);
      if (offset === 0) await first.promise;
      order.push(`end ${offset}`);
    });
    pull.receive(chunk(0));
    pull.receive(chunk(10));
    await nextTurn();
    assert.deepEqual(order, ['begin 0']);
    first.resolve();
    await nextTurn();
    assert.deepEqual(order, ['begin 0', 'end 0', 'begin 10', 'end 10']);
  });

  it('rejects what it did not ask for, and goes on', async () => {
    const { pull, asked, done } = start();
    const rejects = (wrong: Bodies['chunk'], reason: string): void => {
      assert.throws(() => {
        pull.receive(wrong);
      }, isRejection(reason));
    };
    rejects(chunk(10), 'unexpected'); // not its turn
    rejects(chunk(0, 10, TOTAL + 1), 'unexpected'); // of another array
    rejects(chunk(0, 9), 'out_of_range'); // too short
    rejects(chunk(0, 11), 'out_of_range'); // too long
    pull.receive(chunk(0));
    rejects(chunk(0), 'unexpected'); // again
    for (const offset of [10, 20, 30]) pull.receive(chunk(offset));
    // All that was asked for is here; the next questions are asked when the chunks are taken.
    rejects(chunk(40), 'unexpected');
    await nextTurn();
    for (let answered = 4; answered < 11; answered++) {
      pull.receive(chunk(asked[answered]));
      await nextTurn();
    }
    await done;
  });

  it('ends with the error of whoever cancels it, cannot ask, or cannot take', async () => {
    const cancelled = start();
    cancelled.pull.cancel(new Error('cancelled'));
    await assert.rejects(cancelled.done, /^Error: cancelled$/);

    const full = start(() => Promise.reject(new Error('disk full')));
    full.pull.receive(chunk(0));
    await assert.rejects(full.done, /^Error: disk full$/);

    const mute = new Pull(
      TOTAL,
      10,
      () => Promise.reject(new Error('no connection')),
      () => undefined,
    );
    await assert.rejects(mute.start(), /^Error: no connection$/);
  });
});
