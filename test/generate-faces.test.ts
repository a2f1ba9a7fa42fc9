import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { calculate, parseArithmetic } from '../src/sampling/latent-arithmetic.js';
import { latentOf, mean, path, slerp } from '../src/sampling/latents.js';
import { planFaces, type GenerateArguments } from '../src/sampling/generation-plan.js';

const LATENT = 100;
const close = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(actual[i] - value) < 1e-6, `${actual[i]} is not ${value}`);
};
const lengthOf = (vector: Float32Array): number => Math.hypot(...vector);

describe('spherical interpolation', () => {
  it('by hand: half way between two axes lies the diagonal of the same length', () => {
    close(slerp(Float32Array.of(2, 0), Float32Array.of(0, 2), 0.5), [Math.SQRT2, Math.SQRT2]);
    close(slerp(Float32Array.of(1, 0), Float32Array.of(0, 1), 1 / 3), [Math.cos(Math.PI / 6), 0.5]);
  });

  it('begins and ends at the two, and of one direction is a straight line', () => {
    const [a, b] = [latentOf(1, 0, LATENT), latentOf(2, 0, LATENT)];
    close(slerp(a, b, 0), [...a]);
    close(slerp(a, b, 1), [...b]);
    close(slerp(Float32Array.of(1, 1), Float32Array.of(3, 3), 0.5), [2, 2]);
  });

  it('stays where normal vectors are, which a straight line leaves', () => {
    const [a, b] = [latentOf(1, 0, LATENT), latentOf(2, 0, LATENT)];
    const shortest = Math.min(lengthOf(a), lengthOf(b));
    for (const share of [0.25, 0.5, 0.75]) assert.ok(lengthOf(slerp(a, b, share)) > 0.97 * shortest);
    assert.ok(lengthOf(mean([a, b])) < 0.85 * shortest);
  });

  it('goes from each to the next, the last one itself at the end', () => {
    const keys = [1, 2, 3].map((seed) => latentOf(seed, 0, LATENT));
    const all = path(keys, 4);
    assert.equal(all.length, 9);
    close(all[0], [...keys[0]]);
    close(all[4], [...keys[1]]);
    assert.deepEqual(all[8], keys[2]);
  });
});

describe('arithmetic of faces', () => {
  it('is read as lists of seeds', () => {
    assert.deepEqual(parseArithmetic('1,2, 3-4 , 5 + 6'), [
      { sign: 1, seeds: [1, 2, 3] },
      { sign: -1, seeds: [4, 5] },
      { sign: 1, seeds: [6] },
    ]);
    for (const text of ['', '1', '1,2', '1 2', '- 1 + 2', '1 - - 2', '1 - a', '1 -', '1,,2 - 3', '1.5 - 2'])
      assert.throws(() => parseArithmetic(text), UserError, text);
  });

  it('adds and subtracts the means, with neighbours around the result', () => {
    const seeds = (each: readonly number[]): Float32Array =>
      mean(each.map((seed) => latentOf(seed, 0, LATENT)));
    const { terms, result } = calculate(parseArithmetic('1,2 - 3 + 4'), LATENT);
    assert.deepEqual(
      terms.map((row) => row.length),
      [3, 2, 2],
    );
    assert.deepEqual(terms[0][2], seeds([1, 2]));
    const [a, b, c] = [seeds([1, 2]), seeds([3]), seeds([4])];
    const expected = [...a].map((value, i) => value - b[i] + c[i]);
    assert.equal(result.length, 9);
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(result[4][i] - value) < 1e-5);
    for (const [place, vector] of result.entries())
      if (place !== 4) {
        const far = Math.max(...vector.map((value, i) => Math.abs(value - result[4][i])));
        assert.ok(far > 0.2 && far <= 0.25 + 1e-6, String(far));
      }
  });
});

describe('what is asked of generate', () => {
  const asked = (given: Partial<GenerateArguments>): GenerateArguments => ({
    ...{ count: 4, seed: 7, frames: 5, out: 'faces.png' },
    ...given,
  });
  const plan = (given: Partial<GenerateArguments>) => planFaces(asked(given), LATENT);

  it('is a grid of faces of one seed, or of the first ones of several', () => {
    const { latents, layout, format } = plan({});
    assert.deepEqual([latents.length, layout, format], [4, 'grid', 'png']);
    assert.deepEqual(latents[3], latentOf(7, 3, LATENT));
    assert.deepEqual(plan({ seeds: [3, 9] }).latents, [latentOf(3, 0, LATENT), latentOf(9, 0, LATENT)]);
    assert.equal(plan({ out: 'a.WEBP' }).format, 'webp');
    assert.equal(plan({ each: true, out: 'folder' }).layout, 'files');
  });

  it('moves from face to face, or shows all frames in a row for each way', () => {
    assert.deepEqual(plan({ interpolate: true }).rows, [5, 5, 6]);
    assert.equal(plan({ interpolate: true, out: 'a.gif' }).layout, 'animation');
    const { latents, rows } = plan({ between: [3, 9], out: 'a.webp' });
    assert.deepEqual([latents.length, rows], [6, [6]]);
    close(latents[0], [...latentOf(3, 0, LATENT)]);
    assert.equal(plan({ between: [3, 9], each: true, out: 'folder' }).layout, 'files');
  });

  it('is refused in one line where it cannot be', () => {
    for (const [given, line] of [
      [{ out: 'faces.jpg' }, /must end in \.png or \.webp; a folder of single files needs --each/],
      [{ out: 'faces.gif' }, /must end in \.png or \.webp/],
      [{ interpolate: true, out: 'a.jpg' }, /must end in \.gif or \.webp \(a moving picture\) or \.png/],
      [{ between: [1] }, /--between needs two seeds/],
      [{ between: [1, 2], seeds: [3] }, /--seeds and --between exclude each other/],
      [{ arithmetic: '1 - 2', each: true }, /--arithmetic and --each exclude/],
      [{ interpolate: true, count: 1 }, /nothing between one face: give --count 2/],
      [{ interpolate: true, count: 100, frames: 100 }, /9901 frames are more than 2000/],
    ] as const)
      assert.throws(
        () => plan(given),
        (error) => error instanceof UserError && line.test(error.message),
      );
  });
});
