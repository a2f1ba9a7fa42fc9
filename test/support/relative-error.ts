import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Slot } from '../../src/model/layout.js';

/** The largest difference over the largest expected magnitude. Infinite where a number is not finite. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length);
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i] - expected[i]);
    if (!Number.isFinite(distance)) return Infinity;
    difference = Math.max(difference, distance);
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  return difference === 0 ? 0 : difference / magnitude;
}

/** Asserts that two flat vectors agree tensor by tensor, and notes in the test's output how well they do. */
export function assertClose(
  test: TestContext,
  what: string,
  vectors: { actual: Float32Array; expected: Float32Array; slots: readonly Slot[] },
  tolerance: number,
): void {
  const { actual, expected, slots } = vectors;
  assert.equal(actual.length, expected.length);
  const errors = slots.map(({ name, offset, size }) => ({
    name,
    error: relativeError(actual.subarray(offset, offset + size), expected.subarray(offset, offset + size)),
  }));
  const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
  test.diagnostic(`${what}: within ${worst.error.toExponential(1)} of the largest value (${worst.name})`);
  assert.ok(
    worst.error <= tolerance,
    `${what}: ${worst.name} differs by ${worst.error}, more than ${tolerance}`,
  );
}

/** The same for one tensor. */
export function assertTensorClose(
  test: TestContext,
  what: string,
  vectors: { actual: Float32Array; expected: Float32Array },
  tolerance: number,
): void {
  const slots = [{ name: 'all', shape: [vectors.expected.length], offset: 0, size: vectors.expected.length }];
  assertClose(test, what, { ...vectors, slots }, tolerance);
}
