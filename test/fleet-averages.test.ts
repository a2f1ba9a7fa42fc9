import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AverageBuffers } from '../src/coordinator/fleet/rounds/average-buffers.js';
import { modelLayout } from '../src/model/layout.js';
import { PHASES, phaseLayout } from '../src/model/phase.js';
import { SMALL_TRAINING } from './support/small-model.js';

describe('the arrays of averages', () => {
  it('are as long as their phases, one for each, and used again once they were applied', () => {
    const averages = new AverageBuffers(SMALL_TRAINING);
    const layout = modelLayout(SMALL_TRAINING);
    for (const phase of PHASES) {
      const first = averages.next(phase);
      assert.equal(first.floats.length, phaseLayout(phase, layout).length);
      assert.equal(averages.current(phase), first);
      averages.applied(phase);
      assert.equal(averages.current(phase), first, 'who missed it can still get it');
      assert.equal(averages.next(phase), first);
    }
    assert.notEqual(averages.current('discriminator').memory, averages.current('generator').memory);
  });

  it('are kept until another round of their kind is summed in their place', () => {
    const averages = new AverageBuffers(SMALL_TRAINING);
    const keeps = (): boolean => averages.keeps('generator');
    averages.next('generator');
    assert.equal(keeps(), false);
    averages.applied('generator');
    averages.next('discriminator');
    averages.overwritten('discriminator');
    averages.next('generator');
    assert.equal(keeps(), true, 'nothing was summed yet');
    averages.overwritten('generator');
    assert.equal(keeps(), false);
    averages.applied('generator');
    averages.next('generator');
    averages.next('generator');
    assert.equal(keeps(), false, 'it lies in the array before');
  });

  it('are new ones after a round that was given up, whose parts may still be on their way', () => {
    const averages = new AverageBuffers(SMALL_TRAINING);
    const sent = averages.next('generator');
    sent.floats.fill(1);
    const other = averages.next('discriminator');
    const again = averages.next('generator');
    assert.notEqual(again.floats.buffer, sent.floats.buffer);
    assert.equal(averages.current('generator'), again);
    again.floats.fill(2);
    assert.ok(sent.floats.every((value) => value === 1));
    assert.equal(averages.current('discriminator'), other);
    const third = averages.next('generator');
    assert.ok(third.memory !== sent.memory && third.memory !== again.memory);
    averages.applied('generator');
    assert.equal(averages.next('generator'), third, 'the array that was applied is free, not the one before');
  });
});
