import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { strike } from './support/trainer/faults.js';
import {
  expectSameRun,
  lastState,
  readNumbers,
  readStats,
  stepsDone,
} from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

// Processes that start and wait take no core.
describe('steps that one shard makes on its own', { concurrency: 2 }, () => {
  let workplace: Workplace;
  const STEPS = ['--shards', '1', '--steps', '10', '--sample-every', '0'];
  const REFINED = ['--accumulate', '2', '--ema', '0.99', '--mirror', '--augment', '--r1', '1'];

  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('normal', STEPS);
  });
  after(() => workplace.remove());

  // The mean of one is itself. The last round has one step.
  for (const [name, how] of [
    ['in one process', ['--single-node']],
    ['with a worker', ['--workers', '1']],
  ] as const)
    it(`are those of a normal run, ${name}`, async () => {
      const run = name.replaceAll(' ', '-');
      const { code, lines } = await workplace.run(run, [...STEPS, ...how, '--local-steps', '3']);
      assert.equal(code, 0, lines.join('\n'));
      await expectSameRun(workplace.path(run), workplace.path('normal'));
    });

  it('are those of a normal run with batches that are accumulated and every refinement', async () => {
    await Promise.all([
      workplace.quietRun('refined', [...STEPS, ...REFINED]),
      workplace.quietRun('refined-local', [...STEPS, ...REFINED, '--local-steps', '4']),
    ]);
    await expectSameRun(workplace.path('refined-local'), workplace.path('refined'));
  });
});

describe('steps that three shards make on their own', { concurrency: 2 }, () => {
  let workplace: Workplace;
  // A worker that was killed is back after some 60 to 100 of 160 steps; the last round has one step.
  const STEPS = 161;
  const OPTIONS = [
    ...['--shards', '3', '--batch-size', '12', '--local-steps', '4'],
    ...['--sample-every', '50', '--checkpoint-every', '30', '--keep-checkpoints', '9'],
  ];

  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', [...OPTIONS, '--steps', String(STEPS)]);
  });
  after(() => workplace.remove());

  const filesOf = async (run: string, folder: string): Promise<string[]> =>
    (await readdir(workplace.path(run, folder))).sort();

  it('are logged one by one, and what is due with one comes after its round', async () => {
    const stats = await readStats(workplace.path('quiet'));
    assert.deepEqual(
      stats.map(({ step }) => step),
      Array.from({ length: STEPS }, (_, index) => index + 1),
    );
    assert.equal(new Set(stats.map(({ generatorLoss }) => generatorLoss)).size, STEPS);
    for (const { imagesPerSecond, computeSeconds, averagingSeconds } of stats)
      assert.ok(Math.abs(imagesPerSecond * (computeSeconds + averagingSeconds) - 12) < 1e-6);
    const steps = (names: readonly string[]): number[] => names.map((name) => Number(/\d+/.exec(name)?.[0]));
    assert.deepEqual(steps(await filesOf('quiet', 'checkpoints')), [32, 60, 92, 120, 152, 161]);
    assert.deepEqual(
      steps((await filesOf('quiet', 'samples')).filter((name) => name.endsWith('.png'))),
      [0, 52, 100, 152, 161],
    );
  });

  it('are another run than that of other rounds, but for the first step of the discriminator', async () => {
    await workplace.quietRun('other', [...OPTIONS, '--local-steps', '3', '--steps', '8']);
    const [one, other] = [
      await readNumbers(workplace.path('quiet')),
      await readNumbers(workplace.path('other')),
    ];
    assert.deepEqual(other.slice(0, 3), one.slice(0, 3), 'no state was averaged yet');
    assert.notDeepEqual(other[3], one[3]);
  });

  for (const topology of ['star', 'ring'] as const)
    it(`are those of one process with two workers as a ${topology}, of which one is killed`, async () => {
      const args = [
        ...[...OPTIONS, '--steps', String(STEPS), '--workers', '2', '--topology', topology],
        ...['--liveness-timeout', '2'],
      ];
      const program = workplace.start(workplace.training(topology, args));
      await program.line(/^training in/);
      const fault = { step: 10, signal: 'SIGKILL', worker: 1 } as const;
      assert.equal(await strike(workplace, topology, program, [fault]), 1);
      const { code, lines } = await program.ended();
      const story = lines.join('\n');
      assert.equal(code, 0, story);
      assert.equal(
        lines.filter((line) => / was killed by SIGKILL; it is started again$/.test(line)).length,
        1,
      );
      await expectSameRun(workplace.path(topology), workplace.path('quiet'), story);
      const workers = (await readStats(workplace.path(topology))).map((step) => step['workers']);
      assert.ok(workers.includes(1) && workers.includes(2), story);
    });

  it('go on after any round as if they had not stopped, on whatever they go on', async () => {
    await workplace.quietRun('stopped', [...OPTIONS, '--steps', '60']);
    assert.notDeepEqual(await lastState(workplace.path('stopped')), await lastState(workplace.path('quiet')));
    const again = ['--steps', String(STEPS), '--workers', '3', '--topology', 'ring'];
    const { code, lines } = await workplace.start(['train', '--resume', 'stopped', ...again]).ended();
    assert.equal(code, 0, lines.join('\n'));
    await expectSameRun(workplace.path('stopped'), workplace.path('quiet'));
  });

  it('are done to the end of their round when the run is to stop', async () => {
    const program = workplace.start(
      workplace.training('interrupted', [...OPTIONS, ...ENDLESS, '--single-node']),
    );
    await until('some rounds', async () => (await stepsDone(workplace.path('interrupted'))) >= 9);
    program.signal('SIGINT');
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.ok(
      lines.includes(
        'SIGINT: ending after this round of local steps with a checkpoint; once more to end at once',
      ),
    );
    const done = await stepsDone(workplace.path('interrupted'));
    assert.equal(done % 4, 0);
    assert.ok(
      existsSync(
        workplace.path('interrupted', 'checkpoints', `step-${String(done).padStart(6, '0')}.safetensors`),
      ),
    );
  });

  it('cannot become more or fewer when a run goes on', async () => {
    const { code, lines } = await workplace
      .start(['train', '--resume', 'quiet', '--local-steps', '2', '--steps', '200'])
      .ended();
    assert.equal(code, 2);
    assert.deepEqual(lines, [
      'coordinator: the run has --local-steps 4, which cannot become 2 on resume: start a new run',
    ]);
  });
});
