import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { lastState, readNumbers } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

const ALL = ['--ema', '0.9', '--mirror', '--augment', '--r1', '1'];

describe('a run with all options for few photographs', () => {
  let workplace: Workplace;
  const straight = (): string => workplace.path('straight');

  async function train(name: string, args: readonly string[]): Promise<string> {
    const run = workplace.path(name);
    const { code, lines } = await workplace.run(run, ['--shards', '2', '--sample-every', '0', ...args]);
    assert.equal(code, 0, lines.join('\n'));
    return run;
  }

  before(async () => {
    workplace = await Workplace.make();
    await train('straight', ['--steps', '8', '--single-node', ...ALL]);
  });
  after(() => workplace.remove());

  it('is the same bit for bit on two workers, which went on with what one process began', async () => {
    const run = await train('in-parts', ['--steps', '3', '--single-node', ...ALL]);
    const { code, lines } = await workplace
      .start(['train', '--resume', run, '--steps', '8', '--workers', '2', ...ALL])
      .ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.deepEqual(await readNumbers(run), await readNumbers(straight()));
    assert.ok((await lastState(run)).equals(await lastState(straight())), 'the checkpoints differ');
  });

  it('keeps them when it goes on', async () => {
    const { code, lines } = await workplace
      .start(['train', '--resume', straight(), '--steps', '9', '--ema', '0.99'])
      .ended();
    assert.equal(code, 2);
    assert.match(lines.join('\n'), /the run has --ema 0\.9, which cannot become 0\.99 on resume/);
  });
});
