import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ExternalRun } from './support/trainer/external-run.js';
import { Workplace } from './support/trainer/workplace.js';

describe('the metrics of a resumed run', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('faces', ['--steps', '4', '--shards', '2']);
  });
  after(() => workplace.remove());

  it('show its step and description while it waits for workers, and counters at 0', async () => {
    const run = await ExternalRun.resume(workplace, 'faces', ['--workers', '2', '--steps', '8']);
    const metrics = await run.metrics();
    const shown = ['dcgan_step', 'dcgan_epoch', 'dcgan_planned_steps', 'dcgan_images_total'];
    assert.deepEqual(
      shown.map((name) => metrics.get(name)),
      [4, 1, 8, 0],
    );
    const workers = ['lost', 'ready'].map((state) => metrics.get(`dcgan_workers{state="${state}"}`));
    assert.deepEqual(workers, [2, 0]);
    assert.equal(metrics.get('dcgan_checkpoint_step'), 4);
    const age = Date.now() / 1000 - (metrics.get('dcgan_checkpoint_timestamp_seconds') ?? 0);
    assert.ok(age > 0 && age < 120, `${age} s`);
    for (const name of ['dcgan_discriminator_loss', 'dcgan_real_score', 'dcgan_disk_free_bytes'])
      assert.ok((metrics.get(name) ?? 0) > 0, name);
    const info = [...metrics.keys()].filter((name) => name.startsWith('dcgan_run_info'));
    assert.equal(info.length, 1);
    assert.match(info[0], /^dcgan_run_info\{run="faces",architecture="tutorial",.*,shards="2",engine=""/);
  });
});
