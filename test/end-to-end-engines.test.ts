import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readStats } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

describe('the engines', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  it('are told apart by status, each with version, device and precision', async () => {
    const { code, stdout } = await workplace.start(['engine', 'status', '--engine', 'wasm']).ended();
    assert.equal(code, 0);
    assert.match(stdout, /^engine +wasm$/m);
    assert.match(stdout, /^TensorFlow\.js +4\.22\.0$/m);
    assert.match(stdout, /^device +cpu$/m);
    assert.match(stdout, /^precision +fp32/m);
    const auto = await workplace.start(['engine', 'status']).ended();
    assert.equal(auto.code, 0);
    assert.match(auto.stdout, /^engine +(native|wasm, because .+)$/m);
  });

  it('train to nearly the same losses, wasm in a fleet too', async () => {
    const losses = async (name: string, args: readonly string[]): Promise<number[]> => {
      const { code, lines } = await workplace.run(name, ['--steps', '3', '--shards', '2', ...args]);
      assert.equal(code, 0, lines.join('\n'));
      const stats = await readStats(workplace.path(name));
      return stats.flatMap((line) => [line['discriminatorLoss'], line['generatorLoss']]);
    };
    const wasm = await losses('wasm', ['--engine', 'wasm', '--single-node']);
    assert.deepEqual(await losses('wasm-fleet', ['--engine', 'wasm', '--workers', '2']), wasm);
    assert.equal(wasm.length, 6);
    for (const [name, args] of [
      ['auto', []],
      ['eager', ['--eager']],
    ] as const) {
      const other = await losses(name, ['--single-node', ...args]);
      wasm.forEach((loss, i) => {
        assert.ok(Math.abs(loss - other[i]) < 1e-3 * loss, `wasm ${loss}, ${name} ${other[i]}`);
      });
    }
  });
});
