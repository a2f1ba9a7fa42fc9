import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { UserError } from '../src/common/errors.js';
import { formatStepLine, parseStepLine } from '../src/run/step-line.js';
import { lastEvaluated, readSteps, StepLog } from '../src/run/step-log.js';
import { LONGEST_LINE, readTextLines } from '../src/run/text-lines.js';
import type { StepRecord } from '../src/run/step-record.js';
import { loggedEvaluation, stepRecord } from './support/step-record.js';

describe('stats.jsonl', () => {
  let folder: string;
  let path: string;
  let reported: string[] = [];
  const report = (line: string): void => {
    reported.push(line);
  };
  let files = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function logged(steps: readonly number[]): Promise<void> {
    path = join(folder, `stats-${files++}.jsonl`);
    reported = [];
    const log = await StepLog.create(path);
    for (const step of steps) await log.append(stepRecord(step));
    await log.close();
  }

  async function read(): Promise<StepRecord[]> {
    const records = [];
    for await (const record of readSteps(path, report)) records.push(record);
    return records;
  }

  it('has what was evaluated, and knows which was the last up to a step', async () => {
    await logged([1]);
    const log = await StepLog.resume(path, 1, report);
    const evaluated = { ...stepRecord(2), evaluation: loggedEvaluation(1) };
    for (const record of [evaluated, stepRecord(3), { ...stepRecord(4), evaluation: loggedEvaluation(3) }])
      await log.append(record);
    await log.close();
    assert.deepEqual((await read())[1], evaluated);
    assert.deepEqual(
      await Promise.all([0, 1, 2, 3, 4].map((step) => lastEvaluated(path, step))),
      [0, 0, 1, 1, 3],
    );
    const line = formatStepLine(evaluated);
    for (const broken of [
      line.replace('0.75', 'null'),
      line.replace(/"evaluation":{.*}}/, '"evaluation":7}'),
    ])
      assert.throws(() => parseStepLine(broken), /evaluation is .*, not one/);
  });

  it('gives back what was logged, a line a step, with the fields of the design', async () => {
    await logged([1, 2, 3]);
    assert.deepEqual(await read(), [stepRecord(1), stepRecord(2), stepRecord(3)]);
    const lines = (await readFile(path, 'utf8')).split('\n');
    assert.equal(lines.length, 4);
    assert.deepEqual(Object.keys(JSON.parse(lines[0]) as object), [
      ...[
        'step',
        'epoch',
        'discriminatorLoss',
        'generatorLoss',
        'realScore',
        'fakeScoreBefore',
        'fakeScoreAfter',
      ],
      ...['imagesPerSecond', 'computeSeconds', 'averagingSeconds', 'sentBytes', 'receivedBytes'],
      ...['amongWorkersBytes', 'workers'],
    ]);
    assert.deepEqual(reported, []);
  });

  it('keeps a loss that is not finite as NaN', async () => {
    await logged([]);
    const log = await StepLog.create(`${path}.nan`);
    await log.append({ ...stepRecord(1), generatorLoss: NaN, discriminatorLoss: Infinity });
    await log.close();
    path = `${path}.nan`;
    const [record] = await read();
    assert.ok(Number.isNaN(record.generatorLoss) && Number.isNaN(record.discriminatorLoss));
  });

  it('never writes over a log, and takes steps in order only', async () => {
    await logged([1]);
    await assert.rejects(StepLog.create(path), /EEXIST/);
    const log = await StepLog.resume(path, 1, report);
    await assert.rejects(log.append(stepRecord(1)), /step 1 cannot be logged after step 1/);
    await log.close();
  });

  it('leaves out a torn last line and says so', async () => {
    await logged([1, 2]);
    await appendFile(path, '{"step":3,"epo');
    assert.deepEqual(
      (await read()).map(({ step }) => step),
      [1, 2],
    );
    assert.equal(reported.length, 1);
    assert.match(reported[0], /ends in a torn line \(line 3\)/);
  });

  it('names the line that is not a record', async () => {
    const faults: [string, RegExp][] = [
      ['{"step":', /line 2 is not a step's record/],
      ['7', /not a JSON object/],
      ['{}', /step is missing/],
      [JSON.stringify({ ...stepRecord(2), workers: -1 }), /workers is -1, not a count/],
      [JSON.stringify({ ...stepRecord(2), realScore: '0.5' }), /realScore is "0.5", not a measure/],
      [JSON.stringify(stepRecord(1)), /line 2: step 1 comes after step 1/],
    ];
    for (const [line, message] of faults) {
      await logged([1]);
      await appendFile(path, `${line}\n`);
      await assert.rejects(
        read(),
        (error) => error instanceof UserError && message.test(error.message),
        line,
      );
    }
  });

  it('goes on after a step as if the later ones had not been', async () => {
    await logged([1, 2, 3, 4]);
    await appendFile(path, '{"torn');
    const log = await StepLog.resume(path, 2, report);
    assert.equal(log.lastStep, 2);
    await log.append({ ...stepRecord(3), generatorLoss: 42 });
    await log.close();
    assert.deepEqual(await read(), [stepRecord(1), stepRecord(2), { ...stepRecord(3), generatorLoss: 42 }]);
    assert.deepEqual(reported, []);
  });

  it('goes on after the last step across a torn line', async () => {
    await logged([1, 2]);
    await appendFile(path, '{"torn');
    const log = await StepLog.resume(path, 2, report);
    await log.append(stepRecord(3));
    await log.close();
    assert.equal(reported.length, 1);
    assert.deepEqual(
      (await read()).map(({ step }) => step),
      [1, 2, 3],
    );
  });

  it('says where a log ends before the step to go on from', async () => {
    await logged([1, 2]);
    const log = await StepLog.resume(path, 5, report);
    await log.close();
    assert.match(reported[0], /ends at step 2: the steps up to 5 are not in it/);
  });

  it('goes back while it is open, as if the later steps had not been', async () => {
    await logged([]);
    const log = await StepLog.resume(path, 0, report);
    for (const step of [1, 2, 3, 4]) await log.append(stepRecord(step));
    assert.deepEqual(await log.rewind(2), stepRecord(2));
    assert.equal(log.lastStep, 2);
    assert.deepEqual(await read(), [stepRecord(1), stepRecord(2)]);
    for (const step of [3, 4]) await log.append({ ...stepRecord(step), generatorLoss: 42 });
    assert.deepEqual(await log.rewind(3), { ...stepRecord(3), generatorLoss: 42 });
    assert.deepEqual(await log.rewind(3), { ...stepRecord(3), generatorLoss: 42 });
    assert.equal(await log.rewind(0), undefined);
    assert.equal(await readFile(path, 'utf8'), '');
    await log.append(stepRecord(1));
    await log.close();
    assert.deepEqual(await read(), [stepRecord(1)]);
  });

  it('holds whole lines only when the disk is full', async () => {
    await logged([]);
    // A limit on the size of files (2 to 4 KB, as the shell counts) stands for the disk's: a write is cut short.
    const script = `
      const { StepLog } = await import(${JSON.stringify(new URL('../src/run/step-log.js', import.meta.url).href)});
      const log = await StepLog.resume(${JSON.stringify(path)}, 0, () => {});
      const record = ${JSON.stringify(stepRecord(1))};
      for (let step = 1; ; step++) await log.append({ ...record, step });`;
    const limited = 'ulimit -f 4; exec "$0" --input-type=module -e "$1"';
    const failed = promisify(execFile)('sh', ['-c', limited, process.execPath, script]);
    await assert.rejects(failed, /cannot write .*stats-\d+\.jsonl: (the disk is full|EFBIG)/);
    const records = await read();
    assert.ok(records.length > 1);
    assert.deepEqual(records.at(-1), { ...stepRecord(1), step: records.length });
    assert.deepEqual(reported, []);
  });

  it('cuts nothing from a file of something else', async () => {
    await logged([]);
    await writeFile(path, 'not\na log\n');
    await assert.rejects(StepLog.resume(path, 1, report), UserError);
    assert.equal(await readFile(path, 'utf8'), 'not\na log\n');
    path = join(folder, 'none.jsonl');
    await assert.rejects(
      read(),
      (error) => error instanceof UserError && error.message.includes('does not exist'),
    );
  });
});

describe('lines of a file', () => {
  it('are whole across the reads of a stream, and their ends are byte offsets', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    t.after(() => rm(folder, { recursive: true }));
    const path = join(folder, 'lines');
    // 300 KB of two-byte letters: longer than several reads, and some of those end within a letter.
    const texts = Array.from({ length: 3001 }, (_, line) => 'é'.repeat(line % 101));
    await writeFile(path, texts.join('\n'));

    let end = 0;
    let index = 0;
    for await (const line of readTextLines(path)) {
      const whole = index < texts.length - 1;
      end += 2 * texts[index].length + (whole ? 1 : 0);
      assert.deepEqual(line, { text: texts[index], end, whole });
      index++;
    }
    assert.equal(index, texts.length);

    await writeFile(path, 'x'.repeat(4 * LONGEST_LINE));
    await assert.rejects(async () => {
      for await (const line of readTextLines(path)) assert.fail(`read ${line.text.length} characters`);
    }, /longer than/);
  });
});
