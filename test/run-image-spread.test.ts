import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spread } from '../src/sampling/sample-diversity.js';

describe('the spread of images', () => {
  it('is the mean over all places of the standard deviation over the images', () => {
    // Place 0: 1, -1, 1, -1, deviation 1. Place 1: 0.5 four times, 0. Place 2: 0, 0, 0, 1: sqrt(1/4 - 1/16).
    const images = Float32Array.of(1, 0.5, 0, -1, 0.5, 0, 1, 0.5, 0, -1, 0.5, 1);
    assert.ok(Math.abs(spread(images, 3) - (1 + 0 + Math.sqrt(3) / 4) / 3) < 1e-15);
  });

  it('is 0 where all images are the same, however they look', () => {
    const face = Float32Array.from({ length: 48 }, (_, place) => Math.fround(Math.sin(place)));
    const images = Float32Array.from({ length: 64 * 48 }, (_, at) => face[at % 48]);
    assert.ok(spread(images, 48) < 1e-7);
    assert.equal(spread(face, 48), 0);
  });

  it('grows with the contrast, and not with the number of images', () => {
    const wave = Float32Array.from({ length: 256 }, (_, at) => Math.sin(at * at));
    const once = spread(wave, 16);
    assert.ok(
      Math.abs(
        spread(
          wave.map((value) => value / 2),
          16,
        ) -
          once / 2,
      ) < 1e-7,
    );
    assert.ok(Math.abs(spread(Float32Array.of(...wave, ...wave), 16) - once) < 1e-12);
  });

  it('is not of half an image', () => {
    assert.throws(() => spread(new Float32Array(10), 4), /10 values are not images of 4/);
    assert.throws(() => spread(new Float32Array(0), 4), RangeError);
  });
});
