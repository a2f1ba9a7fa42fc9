import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readNumbers } from './support/pytorch-fixtures.js';
import { EXAMPLES, run } from './support/python.js';

/** PyTorch's BCELoss of the tutorial's nine probabilities. */
const { tutorial } = (await readNumbers('bce.json')) as { readonly tutorial: { readonly loss: number } };

/** The tutorial's r11 to r33, by hand: log(1 - 0.8172), log(0.8648), ... */
const TERMS = [
  '-1.6994',
  '-0.1453',
  '-0.8862',
  '-1.1190',
  '-0.3708',
  '-0.8255',
  '-0.2261',
  '-0.3402',
  '-0.8106',
];

describe('the example of BCELoss', () => {
  it("takes the tutorial's steps to the tutorial's loss", async () => {
    const said = await run(process.execPath, [join(EXAMPLES, 'bce/bce.mjs')]);
    const terms = [...said.matchAll(/r(\d)(\d) = log\(.*\) = +(-[\d.]+)$/gm)];
    assert.deepEqual(
      terms.map(([, row, column]) => row + column),
      ['11', '12', '13', '21', '22', '23', '31', '32', '33'],
    );
    assert.deepEqual(
      terms.map(([, , , value]) => value),
      TERMS,
    );
    const losses = [/^BCELoss .* = ([\d.]+)$/m, /^BCEWithLogitsLoss.*: ([\d.]+)$/m].map(
      (pattern) => pattern.exec(said)?.[1],
    );
    assert.deepEqual(losses, ['0.7137', '0.7137']);
    assert.equal(tutorial.loss.toFixed(4), '0.7137');
  });
});
