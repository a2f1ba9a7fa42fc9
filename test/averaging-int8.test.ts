import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readInt8, writeInt8 } from '../src/averaging/int8.js';
import { PartPool } from '../src/averaging/part-pool.js';
import { Residuals } from '../src/averaging/residuals.js';
import { writeShard } from '../src/averaging/shard-writer.js';
import { SummingMemory } from '../src/averaging/summing-memory.js';
import { cutVector } from '../src/averaging/vector-cuts.js';
import { writtenBytes } from '../src/averaging/wire-format.js';
import { fillNormal, randomStream } from '../src/common/random.js';

const BLOCK = 4096;

/** The part as written, what reading it gives, and what is left. */
function write(vector: Float32Array, kept = new Float32Array(vector.length)) {
  const memory = new SummingMemory();
  const rest = { kept: memory.allocate(vector.length), next: memory.allocate(vector.length) };
  rest.kept.set(kept);
  const { buffer, byteOffset } = memory.allocate(vector.length);
  const into = new Uint8Array(buffer, byteOffset, writtenBytes('int8', vector.length));
  writeInt8(memory, into, vector, rest);
  const read = memory.allocate(vector.length);
  // As it comes from elsewhere, at any address.
  const payload = new Uint8Array(into.length + 1).subarray(1);
  payload.set(into);
  readInt8(memory, read, payload);
  assert.deepEqual([...rest.kept], [...kept], 'what was kept has to stay until the update is made');
  return { payload, read: [...read], left: [...rest.next] };
}

/** From the definition, in float32: a scale a block, the nearest integer, the even one of two. */
function reference(vector: Float32Array, kept: Float32Array) {
  const sum = vector.map((value, i) => Math.fround(value + kept[i]));
  const scales: number[] = [];
  const integers: number[] = [];
  const left: number[] = [];
  for (let at = 0; at < sum.length; at += BLOCK) {
    const block = sum.subarray(at, at + BLOCK);
    const scale = Math.fround(block.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    scales.push(scale);
    for (const value of block) {
      const quotient = Math.fround(value / scale);
      const below = Math.floor(quotient);
      const isUp = quotient - below > 0.5 || (quotient - below === 0.5 && below % 2 !== 0);
      const integer = Math.max(-127, Math.min(127, below + (isUp ? 1 : 0)));
      integers.push(integer);
      left.push(Math.fround(value - Math.fround(integer * scale)));
    }
  }
  return { scales, integers, left };
}

describe('a part of a vector as int8', () => {
  it('is scales and integers that can be worked out by hand', () => {
    // The largest is 127 x 0.5; 0.25 and 0.75 lie half way, and go to the even one.
    const values = [63.5, -63.5, 0.5, -0.5, 0.25, 0.75, -0.25, -0.75, 0.3, 0, 30, 1, 2, 3, 4, 5];
    const { payload, read, left } = write(Float32Array.from(values));
    const integers = [127, -127, 1, -1, 0, 2, 0, -2, 1, 0, 60, 2, 4, 6, 8, 10];
    assert.equal(new DataView(payload.buffer, payload.byteOffset).getFloat32(0, true), 0.5);
    assert.deepEqual([...new Int8Array(payload.slice(4).buffer)], integers);
    assert.deepEqual(
      read,
      integers.map((integer) => integer / 2),
    );
    assert.deepEqual(
      left,
      values.map((value, i) => Math.fround(Math.fround(value) - integers[i] / 2)),
    );
  });

  for (const length of [16, BLOCK, BLOCK + 16, 3 * BLOCK + 160])
    it(`has the bits of the reference with ${length} numbers, and with what was kept`, () => {
      const vector = fillNormal(new Float32Array(length), randomStream(1, 'vector', length));
      const kept = fillNormal(new Float32Array(length), randomStream(1, 'kept', length)).map(
        (value) => value / 100,
      );
      const { payload, read, left } = write(vector, kept);
      const expected = reference(vector, kept);
      const view = new DataView(payload.buffer, payload.byteOffset);
      assert.deepEqual(
        expected.scales.map((_, block) => view.getFloat32(4 * block, true)),
        expected.scales,
      );
      const integers = new Int8Array(payload.slice(4 * expected.scales.length).buffer);
      assert.deepEqual([...integers], expected.integers);
      assert.deepEqual(
        read,
        expected.integers.map((integer, i) => Math.fround(integer * expected.scales[Math.floor(i / BLOCK)])),
      );
      assert.deepEqual(left, expected.left);
      // Nothing is further off than half a unit.
      left.forEach((value, i) => {
        assert.ok(Math.abs(value) <= expected.scales[Math.floor(i / BLOCK)] * 0.5001);
      });
    });

  it('of nothing is nothing, and of next to nothing is kept', () => {
    assert.deepEqual(write(new Float32Array(16)).read, new Array(16).fill(0));
    const tiny = new Float32Array(16).fill(1e-44);
    const { read, left } = write(tiny);
    assert.deepEqual(
      read.map((value, i) => Math.fround(value + left[i])),
      [...tiny],
    );
  });

  it('is not finite where a number is not, in that block alone', () => {
    for (const wrong of [NaN, Infinity, -Infinity]) {
      const vector = new Float32Array(2 * BLOCK).fill(1);
      vector[BLOCK + 7] = wrong;
      const { read } = write(vector);
      assert.ok(read.slice(0, BLOCK).every((value) => Math.abs(value - 1) < 1e-6));
      assert.ok(read.slice(BLOCK).every((value) => !Number.isFinite(value)));
    }
  });
});

describe('what int8 leaves of gradients', () => {
  const cuts = cutVector({ length: 37, gradientEnd: 34, wire: 'int8' });
  const vectorOf = (step: number): Float32Array =>
    fillNormal(new Float32Array(37), randomStream(2, 'step', step));
  /** The numbers that the other end reads. */
  const send = (residuals: Residuals<'one'>, shard: number, vector: Float32Array): number[] => {
    const pool = new PartPool();
    const parts = [...writeShard(vector, cuts, pool, residuals.writer('one', shard, 37))];
    return parts.flatMap(({ cut, payload }) =>
      cut.operand.format === 'int8'
        ? [...pool.fromInt8(payload, cut.length)]
        : [...new Float32Array(payload.slice().buffer)],
    );
  };

  it('is added to the next one: all that was sent is off by what is left of the last one, not by more', () => {
    const residuals = new Residuals<'one'>();
    const [sent, wanted] = [new Float64Array(32), new Float64Array(32)];
    for (let step = 1; step <= 200; step++) {
      const vector = vectorOf(step);
      const read = send(residuals, 0, vector);
      residuals.settle('one');
      assert.deepEqual(read.slice(32), [...vector.subarray(32)], 'the rest of the vector is not rounded');
      for (let i = 0; i < 32; i++) {
        sent[i] += read[i];
        wanted[i] += vector[i];
      }
    }
    // Half a unit is 4 / 127 / 2 at most, where no number is above 4; without feedback it would be fourteen times that.
    sent.forEach((sum, i) => {
      assert.ok(Math.abs(sum - wanted[i]) < 0.017, `${sum} instead of ${wanted[i]}`);
    });
  });

  it('counts when the update was made: what is written again is the same', () => {
    const residuals = new Residuals<'one'>();
    send(residuals, 0, vectorOf(1));
    residuals.settle('one');
    const once = send(residuals, 0, vectorOf(2));
    assert.deepEqual(send(residuals, 0, vectorOf(2)), once);
    residuals.settle('one');
    assert.notDeepEqual(send(residuals, 0, vectorOf(2)), once);
  });

  it('goes on elsewhere as if it had stayed, in two parts or one, and begins again where it is cleared', () => {
    const [here, there] = [new Residuals<'one'>(), new Residuals<'one'>()];
    const first = send(here, 5, vectorOf(1));
    here.settle('one');
    send(here, 5, vectorOf(2)); // given up: no update was made by it
    send(there, 5, vectorOf(3));
    there.settle('one');
    const kept = new Float32Array(34);
    here.copy('one', 5, kept);
    assert.ok(kept.subarray(0, 32).some((value) => value !== 0));
    assert.deepEqual([...kept.subarray(32)], [0, 0], 'what is not rounded leaves nothing');
    there.clear(5);
    there.restore('one', 5, 37, kept.subarray(0, 11));
    there.restore('one', 5, 37, kept.subarray(11), 11);
    for (const step of [2, 3]) {
      assert.deepEqual(send(there, 5, vectorOf(step)), send(here, 5, vectorOf(step)));
      for (const each of [here, there]) each.settle('one');
    }
    there.clear(5);
    there.copy('one', 5, kept);
    assert.ok(kept.every((value) => value === 0));
    assert.deepEqual(send(there, 5, vectorOf(1)), first);
  });

  it("is a shard's own, and nothing where the shard comes back", () => {
    const residuals = new Residuals<'one'>();
    const first = send(residuals, 0, vectorOf(1));
    residuals.settle('one');
    assert.deepEqual(send(residuals, 1, vectorOf(1)), first);
    assert.notDeepEqual(send(residuals, 0, vectorOf(1)), first);
    residuals.settle('one');
    residuals.keepOnly([0]);
    assert.deepEqual(send(residuals, 1, vectorOf(1)), first);
    assert.notDeepEqual(send(residuals, 0, vectorOf(1)), first);
  });
});
