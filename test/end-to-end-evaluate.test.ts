import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { SavedEvaluation } from '../src/evaluation/evaluation-file.js';
import type { StepRecord } from '../src/run/step-record.js';
import type { Ending } from './support/trainer/program.js';
import { childrenOf, isAlive } from './support/trainer/processes.js';
import { preloading, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

describe('coordinator evaluate', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('run', ['--steps', '4', '--checkpoint-every', '2', '--evaluate-every', '3']);
  });
  after(() => workplace.remove());

  const call = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ending> =>
    workplace.start(['evaluate', ...args], env).ended();
  const saved = async (run: string, step: number): Promise<SavedEvaluation> => {
    const file = workplace.path(run, 'evaluation', `step-00000${step}.json`);
    return JSON.parse(await readFile(file, 'utf8')) as SavedEvaluation;
  };
  const records = async (run: string): Promise<StepRecord[]> => {
    const text = await readFile(workplace.path(run, 'stats.jsonl'), 'utf8');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as StepRecord);
  };

  it('says what it leaves in the run: numbers, and a sheet of neighbours', async () => {
    const { code, stdout, lines } = await call(['run', '--count', '20']);
    assert.equal(code, 0, lines.join('\n'));
    const evaluation = await saved('run', 4);
    assert.equal(evaluation.count, 20);
    // Pictures that fade from colour to colour.
    assert.deepEqual([evaluation.faceShare, evaluation.realFaceShare], [0, 0]);
    assert.match(stdout, /^run, step 4: 20 samples/);
    assert.ok(stdout.includes(`${evaluation.frechetDistance.toFixed(4)} (`), stdout);
    const sheet = await sharp(
      workplace.path('run', 'evaluation', 'nearest-neighbours-step-000004.png'),
    ).metadata();
    assert.deepEqual([sheet.width, sheet.height], [7 * 34 + 2 + 2 * 12, 16 * 34 + 2]);
    const names = await readdir(workplace.path('run', 'evaluation'));
    assert.deepEqual(
      names.filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('says it as JSON too, of an earlier step', async () => {
    const again = await call(['run', '--count', '20', '--step', '2', '--json']);
    assert.equal(again.code, 0, again.lines.join('\n'));
    const { frechetDistance } = JSON.parse(again.stdout) as SavedEvaluation;
    assert.equal(frechetDistance, (await saved('run', 2)).frechetDistance);
  });

  it('judges the pictures of any other program, that lie directly in a folder', async () => {
    const faces = await workplace
      .start(['generate', 'run', '--each', '--count', '20', '--out', 'faces'])
      .ended();
    assert.equal(faces.code, 0, faces.lines.join('\n'));
    const args = ['faces', '--data', 'images', '--image-size', '32', '--count', '20', '--json'];
    const { code, stdout, lines } = await call(args);
    assert.equal(code, 0, lines.join('\n'));
    // They are the faces that were drawn for the run's own evaluation.
    const { frechetDistance } = JSON.parse(stdout) as SavedEvaluation;
    const own = (await saved('run', 4)).frechetDistance;
    assert.ok(Math.abs(frechetDistance - own) < 1e-6, `${frechetDistance}, ${own}`);
  });

  it('refuses in one line what it cannot do', async () => {
    await mkdir(workplace.path('broken'));
    for (const name of ['0001.png', '0002.png'])
      await copyFile(`${workplace.images}/faces/${name}`, workplace.path('broken', name));
    await writeFile(workplace.path('broken/0003.png'), '');
    await mkdir(workplace.path('outside'));
    await symlink(`${workplace.images}/faces`, workplace.path('outside/faces'));
    const refused: readonly [string[], RegExp][] = [
      [
        ['run', '--step', '3000'],
        /step-003000\.safetensors is not there: the run has checkpoints of 2, 3, 4/,
      ],
      [['faces'], /faces is not a run: .* give --data/],
      [['nowhere'], /there is no nowhere: give a run's directory, or a folder of pictures and --data$/],
      [['nothing', '--data', 'images'], /there is no nothing: give a run's directory/],
      [
        ['broken', '--data', 'images'],
        /^coordinator: too many broken images in broken: 1 of 3, at most 0 \(0003\.png: empty\): repair or remove them$/,
      ],
      [
        ['faces', '--data', 'outside'],
        /^coordinator: \S+outside holds only a link that leads out of it: copy the images into it$/,
      ],
      [['run', '--image-size', '64'], /leave --image-size out/],
      [['run/checkpoints/step-000002.safetensors', '--step', '3'], /leave --step out/],
    ];
    for (const [args, message] of refused) {
      const { code, lines, stdout } = await call(args);
      assert.deepEqual([code, lines.length, stdout], [2, 1, ''], lines.join('\n'));
      assert.match(lines[0], message);
    }
  });

  it('says how to get the package that it needs', async () => {
    const env = preloading('without-face-package');
    const { code, lines } = await call(['run'], env);
    assert.deepEqual(
      [code, lines],
      [
        2,
        [
          'coordinator: evaluation needs a package that is not installed: npm install --no-save @vladmandic/face-api@1.7.15',
        ],
      ],
    );
    const training = await workplace
      .start(workplace.training('none', ['--evaluate-every', '2']), env)
      .ended();
    assert.deepEqual([training.code, training.lines], [2, lines]);
    assert.ok(!existsSync(workplace.path('none')));
  });

  it('beside training changes none of its numbers, and is in the log of steps', async () => {
    const log = await records('run');
    const evaluation = await saved('run', 3);
    assert.equal(evaluation.count, 48);
    // The run has ended at the step after: it waited for the evaluation, and the log has no line after that.
    await workplace.quietRun('plain', ['--steps', '4', '--checkpoint-every', '2']);
    const losses = (of: readonly StepRecord[]): number[][] =>
      of.map(({ discriminatorLoss, generatorLoss }) => [discriminatorLoss, generatorLoss]);
    assert.deepEqual(losses(log), losses(await records('plain')));

    const { code, lines } = await workplace.start(['--resume', 'run', '--steps', '5', '--no-http']).ended();
    assert.equal(code, 0, lines.join('\n'));
    const { faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval } = await saved('run', 4);
    const next = (await records('run')).find(({ step }) => step === 5);
    const logged = { step: 4, faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval };
    assert.deepEqual(next?.evaluation, logged);
  });

  it('beside training that fails or never ends is one line, and no process outlives the run', async () => {
    const env = { ...preloading('failing-evaluation'), DCGAN_TEST_EVALUATION: 'ends' };
    const args = ['--single-node', '--steps', '4', '--evaluate-every', '2'];
    const failed = await workplace.start(workplace.training('failed', args), env).ended();
    assert.equal(failed.code, 0, failed.lines.join('\n'));
    assert.ok(failed.lines.some((line) => /step 2 was not evaluated: .* ended with code 7/.test(line)));
    assert.equal((await records('failed')).length, 4);

    const endless = ['--single-node', '--steps', '1000000', '--sample-every', '0', '--evaluate-every', '20'];
    const hanging = { ...env, DCGAN_TEST_EVALUATION: 'hangs' };
    const program = workplace.start(workplace.training('hanging', endless), hanging);
    await program.line(/step 40 is not evaluated: the evaluation of step 20 still goes on/);
    const children = childrenOf(program.pid);
    assert.ok(children.length > 0);
    program.signal('SIGINT');
    assert.equal((await program.ended()).code, 0);
    await until('no child is left', () => !children.some((pid) => isAlive(pid)), 10_000);
  });
});
