import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bandOf, bandsOf, windowEnds } from '../bench/fidelity/curves.js';
import type { Losses } from '../bench/fidelity/losses.js';
import { judgeCurve, judgeFigure, verdictLine } from '../bench/fidelity/verdict.js';

const run = (...losses: number[]): Losses =>
  losses.map((loss, index) => ({ step: index + 1, discriminatorLoss: loss, generatorLoss: -loss }));

describe('the windows of a loss curve', () => {
  it('hold every step once', () => {
    assert.deepEqual(windowEnds(10, 4), [
      [0, 3],
      [3, 5],
      [5, 8],
      [8, 10],
    ]);
  });

  it("have the mean of the runs' means, and the runs that lie lowest and highest", () => {
    const bands = bandsOf([run(1, 3, 10, 10), run(4, 4, 0, 2)], 'discriminatorLoss', 2);
    assert.deepEqual(bands, [
      { mean: 3, least: 2, most: 4 },
      { mean: 5.5, least: 1, most: 10 },
    ]);
    assert.equal(bandsOf([run(1, 3)], 'generatorLoss', 1)[0].mean, -2);
  });
});

describe('the verdict', () => {
  it('lets curves be as far from the mean as the runs of the other are from each other', () => {
    const theirs = [bandOf([1, 2, 3]), bandOf([0, 0, 3])]; // means 2 and 1, spreads 2 and 3: 2.5
    const passes = (one: number, other: number): boolean =>
      judgeCurve('c', [bandOf([one]), bandOf([other])], theirs).passes;
    assert.deepEqual([passes(4, -2), passes(2, 6), passes(4.1, -2)], [true, true, false]);
  });

  it('counts against figures only what is worse', () => {
    const theirs = [0.5, 0.6, 0.7];
    const of = (value: number, better: 'higher' | 'lower') => judgeFigure('f', [value], theirs, better);
    assert.ok(of(0.99, 'higher').passes && of(0.01, 'lower').passes);
    assert.ok(of(0.41, 'higher').passes && !of(0.39, 'higher').passes);
    assert.ok(of(0.79, 'lower').passes && !of(0.81, 'lower').passes);
  });

  it('names what fails', () => {
    const judged = [judgeFigure('one', [1], [1, 1], 'lower'), judgeFigure('other', [2], [1, 1], 'lower')];
    assert.equal(verdictLine(judged), "FAIL: outside PyTorch's spread: other");
    assert.match(verdictLine(judged.slice(0, 1)), /^PASS: no worse than PyTorch within its spread \(one\)/);
  });
});
