import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { UserError } from '../src/common/errors.js';
import { addTrainOptions, type TrainArguments } from '../src/options/train-options.js';
import { checkTrainingOptions, imagesOfStep } from '../src/model/training-options.js';
import { settleOptions, type Machine, type RunOptions } from '../src/options/resolve-options.js';

const MACHINE: Machine = { cores: 8, gpus: [], lackOfBfloat16: () => undefined };

/** Options as typed after `coordinator train`, settled on a machine. */
function settle(line: string, differences: Partial<Machine> = {}): RunOptions {
  const command = addTrainOptions(new Command());
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  return settleOptions(command.opts<TrainArguments>(), { ...MACHINE, ...differences });
}

function refuses(line: string, message: RegExp): void {
  assert.throws(
    () => settle(line),
    (error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n'),
    line,
  );
}

describe('the options of a run', () => {
  it("are the tutorial's where nothing else was said", () => {
    const { training, ...options } = settle('');
    const { architecture, imageSize, latentSize, generatorFeatures, discriminatorFeatures } = training;
    assert.deepEqual(
      [architecture, imageSize, latentSize, generatorFeatures, discriminatorFeatures],
      ['paper', 64, 100, 64, 64],
    );
    const { batchSize, learningRate, beta1, seed, shards, threads } = training;
    assert.deepEqual([batchSize, imagesOfStep(training), learningRate, beta1], [128, 128, 2e-4, 0.5]);
    assert.deepEqual([seed, shards, threads], [0, 1, 8]);
    assert.deepEqual(
      [options.epochs, options.steps, options.workers, options.external],
      [5, undefined, 0, false],
    );
    assert.deepEqual(options.http, { host: '127.0.0.1', port: 9464 });
  });

  it('follow the machine: a worker for each GPU, but one process where there is nothing to distribute', () => {
    const workers = (line: string, gpus: number[]): number => settle(line, { cores: 8, gpus }).workers;
    assert.deepEqual([workers('', []), workers('', [0]), workers('', [0, 1, 2, 3])], [0, 0, 4]);
    assert.deepEqual([workers('--single-node', [0, 1]), workers('--workers 1', [0, 1])], [0, 1]);
    assert.equal(settle('--batch-size 12', { cores: 8, gpus: [0, 1, 2] }).training.shards, 3);
  });

  it('derive shards from workers, and threads from cores and shards', () => {
    const derived = (line: string): number[] => {
      const { training } = settle(line);
      return [training.shards, training.threads];
    };
    assert.deepEqual(derived('--workers 4'), [4, 2]);
    assert.deepEqual(derived('--workers 2 --shards 8'), [8, 1]);
    assert.deepEqual(derived('--single-node --shards 16'), [16, 1]);
    assert.deepEqual(derived('--workers 4 --threads 5'), [4, 5]);
  });

  it('take what was typed', () => {
    const typed = settle(
      '--data faces --image-size 32 --steps 7 --no-http --learning-rate 1e-3 --beta1 0.9 --sample-every 0 ' +
        '--external --workers 2 --listen tcp://127.0.0.1:5555 --seed 42 --max-broken 0.5 --engine wasm',
    );
    assert.deepEqual(
      [typed.training.learningRate, typed.training.beta1, typed.training.seed],
      [1e-3, 0.9, 42],
    );
    assert.deepEqual([typed.steps, typed.http, typed.sampleEvery], [7, undefined, 0]);
    assert.match(typed.data ?? '', /faces$/);
    assert.deepEqual(
      [typed.external, typed.listen, typed.maxBrokenShare, typed.engine, typed.training.imageSize],
      [true, 'tcp://127.0.0.1:5555', 0.5, 'wasm', 32],
    );
  });

  it('have no local steps unless they are given: a run of one each is the run that it was', () => {
    for (const line of ['', '--local-steps 1']) assert.ok(!('localSteps' in settle(line).training), line);
    assert.equal(settle('--local-steps 16').training.localSteps, 16);
    assert.equal(settle('--local-steps 2 --accumulate 3').training.accumulate, 3);
  });

  it('are refused where they cannot be, in one line', () => {
    refuses(
      '--local-steps 2 --wire bf16',
      /--local-steps averages weights, which --wire bf16 would round: give one/,
    );
    refuses('--local-steps 1001', /--local-steps can be at most 1000, not 1001/);
    refuses('--shards 3', /a batch of 128 images cannot be cut into 3 equal shards: give --batch-size 129/);
    refuses('--workers 3', /a batch of 128 images cannot be cut into 3 equal shards/);
    refuses('--shards 65537 --batch-size 65537', /there can be 65536 shards, not 65537/);
    refuses('--workers 4 --shards 2', /4 workers cannot share 2 shards: give --shards 4 or fewer workers/);
    refuses('--external', /--external needs to know how many workers/);
    refuses('--learning-rate 0', /the learning rate must be a number above 0, not 0/);
    refuses('--learning-rate -1', /the learning rate must be a number above 0, not -1/);
    refuses('--beta1 1', /beta1 must be at least 0 and below 1, not 1/);
    refuses('--http 9464', /--http 9464 is not HOST:PORT/);
  });

  it('that exclude each other are refused by name', () => {
    refuses('--single-node --workers 2', /^--single-node and --workers exclude each other$/);
    refuses('--single-node --external', /^--single-node and --external exclude each other$/);
    refuses('--single-node --listen tcp://127.0.0.1:1', /^--single-node and --listen exclude each other$/);
  });

  it('compute in bfloat16 where the machine has it and the engine is native', () => {
    const lacking = { lackOfBfloat16: () => 'this processor has no bfloat16' };
    assert.equal(settle('--precision bf16').training.precision, 'bf16');
    assert.equal(settle('', lacking).training.precision, 'fp32');
    assert.throws(
      () => settle('--precision bf16', lacking),
      /^UserError: --precision bf16 cannot be used: this processor has no bfloat16; take fp32$/,
    );
    // Whoever comes from elsewhere looks at its own machine.
    assert.equal(settle('--precision bf16 --external --workers 1', lacking).training.precision, 'bf16');
    refuses('--precision bf16 --engine wasm', /--precision bf16 needs the native engine, not wasm/);
    refuses('--precision bf16 --eager', /^--eager and --precision bf16 exclude each other$/);
  });

  it('send gradients in fp32 by default, and in bf16 if asked', () => {
    assert.ok(!('wire' in settle('').training));
    assert.deepEqual(settle('--wire fp32').training, settle('').training);
    const { training, topology } = settle('--wire bf16 --workers 2 --topology ring');
    assert.deepEqual([training.wire, topology], ['bf16', 'ring']);
    const wire = 'fp8' as 'fp32';
    assert.throws(() => {
      checkTrainingOptions({ ...training, wire });
    }, /^UserError: wire fp8 is not one of fp32, bf16$/);
  });

  it('of better faces are absent where they are off, and checked where they are on', () => {
    const plain = settle('').training;
    for (const name of ['ema', 'mirror', 'augment', 'r1']) assert.ok(!(name in plain), name);
    assert.deepEqual(settle('--ema 0').training, plain);
    const { ema, mirror } = settle('--ema 0.999 --mirror').training;
    assert.deepEqual([ema, mirror], [0.999, true]);
    assert.equal(settle('--augment').training.augment, 'colour,translation,cutout');
    assert.equal(settle('--augment cutout,colour --mirror').training.augment, 'colour,cutout');
    refuses('--augment hue', /--augment takes colour,translation,cutout or some of them .*, not hue/);
    refuses('--augment colour,', /--augment takes .*, not nothing/);
    assert.equal(settle('--r1 10').training.r1, 10);
    assert.deepEqual(settle('--r1 0').training, plain);
    refuses('--r1 -1', /the weight of --r1 must be a number above 0 \(0: no penalty\), not -1/);
    refuses('--ema 1', /the decay of --ema must be above 0 and below 1 \(0: no average\), not 1/);
    refuses('--ema -0.5', /the decay of --ema must be above 0 and below 1/);
  });

  it('cannot be changed once they are settled', () => {
    const options = settle('');
    assert.ok(Object.isFrozen(options) && Object.isFrozen(options.training));
  });
});
