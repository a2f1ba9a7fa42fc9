import assert from 'node:assert/strict';
import { readdir, readFile, truncate } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { Ending } from './support/trainer/program.js';
import { lastState, readNumbers } from './support/trainer/run-results.js';
import { ENDLESS, SMALL, Workplace } from './support/trainer/workplace.js';
import { parsePrometheusText } from './support/prometheus-text.js';
import { until } from './support/wire/until.js';

// One process starts after the other, which takes one core.
describe('a run that goes on', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  async function train(run: string, args: readonly string[]): Promise<void> {
    const { code, lines } = await workplace.run(run, ['--shards', '2', '--sample-every', '0', ...args]);
    assert.equal(code, 0, lines.join('\n'));
  }

  function resume(run: string, args: readonly string[]): Promise<Ending> {
    return workplace.start(['train', '--resume', run, ...args]).ended();
  }

  it('is the run that never stopped, bit for bit, on whatever it goes on', async () => {
    const straight = workplace.path('straight');
    await train(straight, ['--steps', '8', '--single-node']);
    const [numbers, state] = [await readNumbers(straight), await lastState(straight)];
    assert.equal(numbers.length, 8);

    // An epoch has 6 steps: the end of one lies in what is done after the stop.
    for (const [name, ...how] of [
      ['one', '--single-node'],
      ['two', '--workers', '2'],
    ] as const) {
      await train(name, ['--steps', '3', ...how]);
      assert.notDeepEqual(await lastState(workplace.path(name)), state);
    }
    for (const [name, first, then] of [
      ['alone', 'one', []],
      ['in-a-fleet', 'two', []],
      ['from-one-to-two', 'one', ['--workers', '2']],
      ['from-two-to-one', 'two', ['--single-node']],
    ] as const) {
      const run = workplace.path(name);
      await workplace.copyRun(first, name);
      const { code, lines } = await resume(run, ['--steps', '8', ...then]);
      assert.equal(code, 0, lines.join('\n'));
      assert.deepEqual(await readNumbers(run), numbers, name);
      assert.ok((await lastState(run)).equals(state), `${name}: the checkpoints differ`);
      assert.deepEqual((await readdir(`${run}/checkpoints`)).sort(), [
        'step-000003.safetensors',
        'step-000008.safetensors',
      ]);
    }
  });

  for (const [name, how] of [
    ['counted-alone', '--single-node'],
    ['counted-in-a-fleet', '--workers=2'],
  ] as const)
    it(`continues at its step, and counts from 0 in a new process (${how})`, async () => {
      const run = workplace.path(name);
      /** Looks at /metrics until a step is done that comes after this one, then ends the run. */
      const lookAfter = async (step: number, args: readonly string[]) => {
        const program = workplace.start(['train', ...args, ...ENDLESS, '--http', '127.0.0.1:0']);
        const [, url] = await program.line(/^metrics at (\S+)$/);
        const samples = await until(`a step after ${step}`, async () => {
          const families = parsePrometheusText(await (await fetch(url)).text());
          const ours = [...families].filter(([family]) => family.startsWith('dcgan_'));
          const all = new Map(ours.flatMap(([, each]) => [...each.samples]));
          return (all.get('dcgan_step') ?? 0) > step ? all : undefined;
        });
        program.signal('SIGINT');
        assert.equal((await program.ended()).code, 0);
        return (of: string): number => samples.get(of) ?? NaN;
      };
      const before = await lookAfter(0, [
        ...['--data', workplace.images, ...SMALL, '--shards', '2', '--run-dir', run, how],
      ]);
      const stopped = (await readNumbers(run)).length;
      const after = await lookAfter(stopped, ['--resume', run]);
      for (const [look, first] of [
        [before, 0],
        [after, stopped],
      ] as const) {
        const steps = look('dcgan_step') - first;
        assert.equal(look('dcgan_images_total'), 16 * steps);
        for (const count of [
          'dcgan_step_seconds_count',
          'dcgan_step_seconds_bucket{le="+Inf"}',
          'dcgan_phase_seconds_count{phase="generator"}',
        ])
          assert.equal(look(count), steps, count);
      }
    });

  it('is refused what would change its numbers, other images, or nothing left to do', async () => {
    const run = workplace.path('fixed');
    await train(run, ['--steps', '2', '--single-node']);
    const log = await readFile(`${run}/stats.jsonl`);
    const refused = async (args: readonly string[], line: RegExp): Promise<void> => {
      const { code, lines } = await resume(run, args);
      assert.equal(code, 2);
      assert.match(lines[lines.length - 1], line);
      assert.equal(lines.filter((each) => each.startsWith('coordinator: ')).length, 1);
      assert.deepEqual(await readFile(`${run}/stats.jsonl`), log);
    };
    await refused(
      ['--seed', '1', '--steps', '4'],
      /^coordinator: the run has --seed 0, which cannot become 1 on resume: start a new run$/,
    );
    await refused(['--batch-size', '32', '--steps', '4'], /--batch-size 16, which cannot become 32/);
    await refused(['--shards', '4', '--steps', '4'], /--shards 2, which cannot become 4/);
    await refused(
      [],
      /^coordinator: the run has done 2 of 2 steps: pass more --epochs or --steps to continue$/,
    );
    const others = await workplace.makeImages('others', 96, 1);
    await refused(
      ['--data', others, '--steps', '4'],
      /^coordinator: fixed was trained on other images \(fingerprint \w{8}, these have \w{8}\): give --data/,
    );
    await refused(['--run-dir', 'elsewhere', '--steps', '4'], /^coordinator: .*--run-dir/);
  });

  it('says which checkpoint is damaged, and goes on from the one before where it is asked to', async () => {
    const run = workplace.path('damaged');
    await train(run, ['--steps', '4', '--checkpoint-every', '2', '--single-node']);
    const [numbers, state] = [await readNumbers(run), await lastState(run)];
    const newest = `${run}/checkpoints/step-000004.safetensors`;
    await truncate(newest, 50_000);
    for (const command of [
      ['train', '--resume', 'damaged', '--steps', '6'],
      ['generate', 'damaged'],
    ]) {
      const { code, lines } = await workplace.start(command).ended();
      assert.equal(code, 2);
      assert.match(
        lines[lines.length - 1],
        /^coordinator: damaged\S+step-000004\.safetensors is damaged \(it has \d+ bytes, not \d+\): .* (--resume|generate) damaged\/checkpoints\/step-000002\.safetensors$/,
      );
    }
    const { code, lines } = await resume('damaged/checkpoints/step-000002.safetensors', ['--steps', '4']);
    assert.equal(code, 0, lines.join('\n'));
    assert.deepEqual(await readNumbers(run), numbers);
    assert.ok((await lastState(run)).equals(state));
  });

  it('is refused where there is no run', async () => {
    const { code, lines } = await resume('nowhere', []);
    assert.equal(code, 2);
    assert.deepEqual(lines, [
      `coordinator: ${workplace.path('nowhere')} is not a run's directory: it has no readable options.json`,
    ]);
  });
});
