import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelOf, rowsFor, type Row } from '../bench/step/rows.js';
import { stepFlop } from '../bench/step/step-flop.js';
import { tableLines, togetherLines, type Result } from '../bench/step/table.js';

describe("a step's floating-point operations", () => {
  const sizes = { imageSize: 64, latentSize: 100, generatorFeatures: 64, discriminatorFeatures: 64 } as const;

  it('are 2.27e9 an image in the tutorial, counted by hand', () => {
    const [toImage, between] = [32 * 32 * 16 * 3 * 64, 4 * 4 * 16 * 256 * 512]; // Each of three costs `between`.
    const [noise, logit] = [16 * 100 * 512, 16 * 512];
    const generator = noise + 3 * between + toImage;
    const discriminator = toImage + 3 * between + logit;
    const multiplications = 3 * generator - noise + 8 * discriminator - 2 * toImage;
    assert.equal(stepFlop({ architecture: 'tutorial', ...sizes }), 2 * multiplications);
    assert.equal((2 * multiplications) / 1e9, 2.274623488);
  });

  it('are those of a generator twice as wide in the paper', () => {
    const wider = 3 * 4 * (4 * 4 * 16 * 256 * 512) + 2 * (32 * 32 * 16 * 3 * 64);
    const narrow = 3 * (4 * 4 * 16 * 256 * 512) + 32 * 32 * 16 * 3 * 64;
    const noise = 16 * 100 * 512;
    const difference =
      stepFlop({ architecture: 'paper', ...sizes }) - stepFlop({ architecture: 'tutorial', ...sizes });
    assert.equal(difference, 2 * (3 * (wider - narrow) + 2 * noise));
  });
});

describe('the rows of the table', () => {
  const alone = [
    'here, recorded, DEVICE, fp32',
    'here, eager, DEVICE, fp32',
    'here, recorded, DEVICE, bf16',
    'PyTorch, as in the tutorial, DEVICE, fp32',
    ...['fp32', 'bf16'].flatMap((precision) => [
      `PyTorch, plain, DEVICE, ${precision}`,
      `PyTorch, channels-last, DEVICE, ${precision}`,
      `PyTorch, torch.compile, DEVICE, ${precision}`,
      `Keras, tf.function, DEVICE, ${precision}`,
    ]),
  ];
  const together = ['fp32', 'bf16'].flatMap((precision) => [
    `here, workers, DEVICE, ${precision}`,
    `PyTorch, DDP, channels-last, DEVICE, ${precision}`,
  ]);
  const on = (device: string, labels: readonly string[]): string[] =>
    labels.map((label) => label.replace('DEVICE', device));
  const cpu = [...on('cpu', alone), 'here, wasm, cpu, fp32', ...on('cpu', together)];

  it('are those of the CPU where there is no GPU, those of a lone GPU beside them, and of several', () => {
    const labels = (gpus: number): string[] => rowsFor({ threads: 2, gpus }).map(labelOf);
    assert.deepEqual(labels(0), cpu);
    assert.deepEqual(labels(1), [...cpu, ...on('gpu', alone)]);
    assert.deepEqual(labels(4), [...cpu, ...on('gpu', alone), ...on('gpu', together)]);
  });

  it('share the cores among their processes: two on the CPU, one a GPU', () => {
    const rows = rowsFor({ threads: 8, gpus: 4 });
    const shapes = (device: string): string[] => [
      ...new Set(
        rows.filter((row) => row.device === device).map((row) => `${row.processes} x ${row.threads}`),
      ),
    ];
    assert.deepEqual(shapes('cpu'), ['1 x 8', '2 x 4']);
    assert.deepEqual(shapes('gpu'), ['1 x 8', '4 x 2']);
  });

  it('tell each program how many processes, and what they compute on', () => {
    const rows = rowsFor({ threads: 8, gpus: 4 });
    const argumentsOf = (label: string): string =>
      rows.find((row) => labelOf(row) === label)?.args.join(' ') ?? '';
    assert.equal(
      argumentsOf('here, workers, gpu, bf16'),
      '--workers 4 --threads 2 --engine native --precision bf16',
    );
    assert.equal(
      argumentsOf('here, eager, cpu, fp32'),
      '--single-node --threads 8 --engine native --precision fp32 --eager',
    );
    assert.equal(
      argumentsOf('PyTorch, DDP, channels-last, gpu, bf16'),
      '--device cuda --threads 2 --bf16 --processes 4 --channels-last',
    );
    assert.equal(argumentsOf('Keras, tf.function, cpu, fp32'), '--device cpu --threads 8');
  });
});

describe('the table', () => {
  const rows = rowsFor({ threads: 2, gpus: 0 });
  const result = (label: string, ...speeds: number[]): Result => ({
    row: rows.find((row): row is Row => labelOf(row) === label) ?? assert.fail(label),
    rounds: speeds.map((imagesPerSecond, round) => ({
      imagesPerSecond,
      firstStepSeconds: 10 + round,
      peakMebibytes: 900 + round,
      version: '',
    })),
  });
  const results = [
    result('here, recorded, cpu, fp32', 66, 70, 64),
    result('PyTorch, plain, cpu, fp32', 50, 50, 50),
    result('Keras, tf.function, cpu, fp32', 60, 60, 60),
    result('here, workers, cpu, fp32', 33, 33, 33),
    result('PyTorch, DDP, channels-last, cpu, fp32', 30, 30, 30),
  ];

  it('sets each row beside the fastest peer of its kind and the rate of the machine', () => {
    const lines = tableLines(results, { flop: 2e9, rates: { cpu: { fp32: 200e9, bf16: 400e9 } } });
    const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()));
    const expected = [
      'here, recorded',
      'cpu',
      'fp32',
      '1 x 2',
      '66.0 (64.0 to 70.0)',
      '1.10',
      '0.66',
      '11.0',
    ];
    assert.deepEqual(cells[2].slice(1, -1), [...expected, '902']);
    assert.deepEqual(
      cells.slice(2).map((row) => row[6]),
      ['1.10', '0.83', '1.00', '1.10', '1.00'],
    );
  });

  it('says nothing where there is nothing to compare with', () => {
    const [, , line] = tableLines(results.slice(0, 1), { flop: 2e9, rates: {} });
    assert.match(line, /\| - +\| - +\| 11\.0 /);
  });

  it('sets several processes beside one', () => {
    assert.deepEqual(togetherLines(results), ['here, workers, cpu, fp32: 0.50 of here, recorded']);
  });
});
