import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addBfloat16, meanOfBfloat16, narrow, roundInPlace, widen } from '../src/averaging/bfloat16.js';
import { SummingMemory } from '../src/averaging/summing-memory.js';
import { fillNormal, randomStream } from '../src/common/random.js';
import { bfloat16, bitsOf, floatOf } from './support/bfloat16.js';

const memory = new SummingMemory();

function halves(length: number): Uint16Array {
  const { buffer, byteOffset } = memory.allocate(length);
  return new Uint16Array(buffer, byteOffset, length);
}

function narrowed(values: readonly number[] | Float32Array): number[] {
  const padded = new Float32Array(Math.ceil(values.length / 16) * 16);
  padded.set(values);
  const into = halves(padded.length);
  narrow(memory, into, padded);
  return [...into.subarray(0, values.length)];
}

describe('rounding to bfloat16', () => {
  // By hand, from the bits: sign, 8 of the exponent, 7 of the mantissa; then the 16 that go.
  for (const [name, from, to] of [
    ['one, exactly', 0x3f80_0000, 0x3f80],
    ['less than half a unit: down', 0x3f80_7fff, 0x3f80],
    ['more than half: up', 0x3f80_8001, 0x3f81],
    ['half, beside an even one below: down', 0x3f80_8000, 0x3f80],
    ['half, beside an even one above: up', 0x3f81_8000, 0x3f82],
    ['negative, half: to the even one as well', 0xbf81_8000, 0xbf82],
    ['up into the next power of two', 0x3fff_8000, 0x4000],
    ['zero', 0x0000_0000, 0x0000],
    ['negative zero', 0x8000_0000, 0x8000],
    ['the smallest number there is: to zero', 0x0000_0001, 0x0000],
    ['a subnormal one', 0x0001_8000, 0x0002],
    ['the largest subnormal one: up to a normal one', 0x007f_ffff, 0x0080],
    ['the largest bfloat16', 0x7f7f_0000, 0x7f7f],
    ['the largest float32: beyond, to infinity', 0x7f7f_ffff, 0x7f80],
    ['half beyond the largest: to infinity, the even one', 0xff7f_8000, 0xff80],
    ['infinity', 0x7f80_0000, 0x7f80],
    ['negative infinity', 0xff80_0000, 0xff80],
    ['no number', 0x7fc0_0000, 0x7fc0],
    ['no number, all bits set: not to a zero by carrying over', 0x7fff_ffff, 0x7fff],
    ['no number by a bit that goes: not to infinity', 0x7f80_0001, 0x7fc0],
    ['no number, negative', 0xffff_ffff, 0xffff],
  ] as const)
    it(`of ${name}`, () => {
      const floats = new Float32Array(Uint32Array.of(from).buffer);
      assert.deepEqual(narrowed(floats), [to]);
    });

  it('is to the nearest of the two neighbours in every class of exponents, and exact for a bfloat16', () => {
    const random = randomStream(1, 'mantissas');
    const bits = new Uint32Array(256 * 64);
    const mantissas = fillNormal(new Float32Array(bits.length), random);
    bits.forEach((_, i) => {
      bits[i] = ((Math.floor(i / 64) << 23) | (bitsOf(mantissas[i]) & 0x7f_ffff) | ((i % 2) << 31)) >>> 0;
    });
    const floats = new Float32Array(bits.buffer);
    const rounded = narrowed(floats);
    rounded.forEach((half, i) => {
      const value = floats[i];
      const result = floatOf(half);
      if (Number.isNaN(value)) assert.ok(Number.isNaN(result), bits[i].toString(16));
      else if (Number.isFinite(value)) {
        // In float64, where all differences are exact; beyond the largest one stands the next power of two.
        const at = (neighbour: number): number =>
          (neighbour & 0x7f80) === 0x7f80 ? Math.sign(value) * 2 ** 128 : floatOf(neighbour);
        const distance = Math.abs(at(half) - value);
        for (const neighbour of [half - 1, half + 1])
          if (neighbour >> 15 === half >> 15 && (neighbour & 0x7fff) <= 0x7f80)
            assert.ok(distance <= Math.abs(at(neighbour) - value), bits[i].toString(16));
      }
    });
    const exact = rounded.filter((half) => !Number.isNaN(floatOf(half)));
    assert.deepEqual(narrowed(exact.map(floatOf)), exact);
  });

  it('is what the reference says, of many numbers', () => {
    const values = fillNormal(new Float32Array(4096), randomStream(2, 'values'));
    assert.deepEqual(narrowed(values), [...values].map(bfloat16));
    assert.ok(values.some((value) => floatOf(bfloat16(value)) !== value));
  });
});

describe('the kernels of bfloat16', () => {
  const normal = (stream: number): Uint16Array =>
    Uint16Array.from(fillNormal(new Float32Array(1008), randomStream(3, 'operand', stream)), bfloat16);
  const [left, right] = [normal(1), normal(2)];

  it('widen exactly', () => {
    const into = memory.allocate(left.length);
    widen(memory, into, left);
    assert.deepEqual(
      [...into].map(bitsOf),
      [...left].map((half) => half * 2 ** 16),
    );
  });

  it('add in float32, and round the sum; in the place of an operand too', () => {
    const into = halves(left.length);
    const behind = halves(16).fill(7);
    addBfloat16(memory, into, left, right);
    const expected = [...left].map((half, i) => bfloat16(Math.fround(floatOf(half) + floatOf(right[i]))));
    assert.deepEqual([...into], expected);
    assert.deepEqual([...behind], new Array(16).fill(7));
    into.set(right);
    addBfloat16(memory, into, left, into);
    assert.deepEqual([...into], expected);
  });

  it('make the mean, round it once, and count its squares', () => {
    const into = { floats: memory.allocate(left.length), halves: halves(left.length) };
    const mean = [...left].map((half, i) => Math.fround(Math.fround(floatOf(half) + floatOf(right[i])) / 3));
    const rounded = mean.map(bfloat16);
    const exact = rounded.reduce((sum, half) => sum + floatOf(half) ** 2, 0);
    const expectMean = (squares: number): void => {
      assert.deepEqual([...into.halves], rounded);
      assert.deepEqual([...into.floats], rounded.map(floatOf));
      assert.ok(Math.abs(squares - exact) <= 1e-12 * exact, `${squares} instead of ${exact}`);
    };
    expectMean(meanOfBfloat16(memory, into, left, right, 3));
    // The same of a mean that is there in float32.
    into.floats.set(mean);
    into.halves.fill(0);
    expectMean(roundInPlace(memory, into.floats, into.halves));
  });

  it('count what is not finite, also what only rounding makes so', () => {
    for (const bad of [NaN, Infinity, -Infinity, 3.4e38])
      for (const at of [0, 3, 4, 15]) {
        const floats = memory.allocate(16).fill(1);
        floats[at] = bad;
        assert.ok(!Number.isFinite(roundInPlace(memory, floats, halves(16))), `${bad} at ${at}`);
      }
    assert.equal(roundInPlace(memory, memory.allocate(16).fill(1), halves(16)), 16);
  });
});
