import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainLackOfMemory } from '../src/common/process/address-space.js';

const FAILURE = 'WebAssembly.Memory(): could not allocate memory';
const limits = (bytes: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \n` +
  `Max address space         ${bytes.padEnd(20)} ${bytes.padEnd(20)} bytes     \n`;

describe('a failure to reserve memory', () => {
  it('names the limit of addresses and how to remove it', () => {
    assert.equal(
      explainLackOfMemory(FAILURE, limits('4000000000')),
      `${FAILURE}: the address space of this process is limited to 4.0 GB; ` +
        'remove the limit (ulimit -v unlimited) and limit resident memory instead',
    );
  });

  it('keeps its message if there is no limit, and so do other failures', () => {
    assert.equal(explainLackOfMemory(FAILURE, limits('unlimited')), FAILURE);
    assert.equal(explainLackOfMemory(FAILURE, ''), FAILURE);
    assert.equal(explainLackOfMemory('no space left', limits('4000000000')), 'no space left');
  });
});
