import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { formatDuration, progressBar, progressLine } from '../src/monitoring/console/progress-text.js';
import { startProgress } from '../src/monitoring/console/start-progress.js';
import { StepRate } from '../src/monitoring/console/step-rate.js';
import { stepRecord } from './support/step-record.js';

/** A control sequence (count and command), or one character. */
const ESCAPE = '\u001b';
const TOKENS = new RegExp(`${ESCAPE}\\[(\\d*)([A-Z])|[^]`, 'gu');

/** A stream that keeps what it gets; as a terminal it shows it as a screen of unlimited height would. */
class Screen extends Writable {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns = 120,
  ) {
    super();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }

  /** Follows the control sequences in use: to a column, clear the line or its rest, up or down. Others fail. */
  get lines(): string[] {
    const lines = [''];
    let [row, column] = [0, 0];
    for (const [token, count, command] of this.text.matchAll(TOKENS)) {
      if (token === '\n') {
        [row, column] = [row + 1, 0];
        lines[row] ??= '';
      } else if (command === 'G') column = Number(count) - 1;
      else if (command === 'K') lines[row] = count === '2' ? '' : lines[row].slice(0, column);
      else if (token.startsWith(ESCAPE)) assert.fail(`unexpected control sequence ${JSON.stringify(token)}`);
      else lines[row] = lines[row].slice(0, column).padEnd(column) + token + lines[row].slice(++column);
    }
    return lines;
  }
}

const state = { record: stepRecord(50), totalSteps: 200, totalEpochs: 5, secondsLeft: 723 };
const scores = 'D(x) 0.81 D(G(z)) 0.25/0.13';
const whole = `epoch 1/5  step 50/200  loss D 12.5000 G 25.0000  ${scores}  84.5 images/s  12m 03s left`;

describe('progress as text', () => {
  it('has everything on a line', () => {
    assert.equal(progressLine(state), whole);
    assert.match(progressLine({ ...state, secondsLeft: undefined }), / {2}\? left$/);
  });

  it('has a bar as wide as there is room', () => {
    assert.equal(progressBar(state, 200), `${'█'.repeat(8)}${'░'.repeat(22)}  ${whole}`);
    assert.equal(progressBar(state, whole.length + 14), `███░░░░░░░░░  ${whole}`);
  });

  it('never gets wider than the terminal, and leaves out what matters least', () => {
    for (let columns = 10; columns < 150; columns++) assert.ok(progressBar(state, columns).length <= columns);
    assert.match(
      progressBar(state, 80),
      /^█+░+ {2}step 50\/200 {2}loss D 12\.5000 G 25\.0000 {2}84\.5 images\/s {2}12m 03s left$/,
    );
    assert.match(progressBar(state, 30), /^█+░+ {2}step 50\/200$/);
  });

  it('tells a time in two units', () => {
    const times = [0, 42.4, 59.6, 723, 3600, 11_100, 90_000];
    assert.deepEqual(times.map(formatDuration), [
      '0s',
      '42s',
      '1m 00s',
      '12m 03s',
      '1h 00m',
      '3h 05m',
      '1d 01h',
    ]);
  });
});

describe('the rate of steps', () => {
  it('is that of the last hundred', () => {
    const rate = new StepRate();
    assert.equal(rate.secondsFor(10), undefined);
    rate.mark(1, 0);
    assert.equal(rate.secondsFor(10), undefined);
    for (let step = 2; step <= 11; step++) rate.mark(step, (step - 1) * 2000);
    assert.equal(rate.secondsFor(10), 20);
    for (let step = 12; step <= 111; step++) rate.mark(step, 20_000 + (step - 11) * 500);
    assert.equal(rate.secondsFor(10), 5);
  });

  it('begins anew where the run goes back', () => {
    const rate = new StepRate();
    for (const [step, at] of [
      [1, 0],
      [2, 1000],
      [3, 2000],
      [2, 60_000],
      [3, 62_000],
    ])
      rate.mark(step, at);
    assert.equal(rate.secondsFor(10), 20);
  });
});

describe('progress without a terminal', () => {
  it('is the first step, then a line every five seconds, and the last step', () => {
    const stream = new Screen(false);
    let now = 1000;
    const progress = startProgress({ totalSteps: 12, totalEpochs: 1, stream, now: () => now });
    for (let step = 1; step <= 12; step++) {
      progress.show(stepRecord(step));
      now += 1000;
    }
    progress.log('saved');
    progress.stop();
    const steps = stream.text.split('\n').map((line) => /step (\d+)|saved|^$/.exec(line)?.[1] ?? line);
    assert.deepEqual(steps, ['1', '6', '11', '12', 'saved', '']);
    assert.match(stream.text, /step 6\/12.* 6s left\n/);
  });

  it('shows where a run was stopped', () => {
    const stream = new Screen(false);
    const progress = startProgress({ totalSteps: 12, totalEpochs: 1, stream, now: () => 0 });
    progress.show(stepRecord(1));
    progress.show(stepRecord(2));
    progress.show(stepRecord(3));
    progress.stop();
    progress.stop();
    assert.deepEqual(
      [...stream.text.matchAll(/step (\d+)/g)].map(([, step]) => step),
      ['1', '3'],
    );
  });
});

describe('progress on a terminal', () => {
  it('is a bar, with messages whole above it', () => {
    const stream = new Screen(true);
    let now = 0;
    const progress = startProgress({ totalSteps: 200, totalEpochs: 5, stream, now: () => now });
    progress.log('engine: native');
    for (let step = 49; step <= 50; step++) {
      progress.show(stepRecord(step));
      now += 2000;
    }
    const long = 'a message that is longer than the bar '.repeat(6);
    progress.log('short');
    progress.log(long);
    progress.show(stepRecord(51));
    progress.log('shorter');
    progress.stop();
    progress.log('bye');

    const last = { record: stepRecord(51), totalSteps: 200, totalEpochs: 5, secondsLeft: 298 };
    assert.deepEqual(stream.lines, [
      'engine: native',
      'short',
      long,
      'shorter',
      progressBar(last, 119),
      'bye',
      '',
    ]);
  });

  it('ends with the last state, even if it was never drawn before', () => {
    const stream = new Screen(true);
    const progress = startProgress({ totalSteps: 200, totalEpochs: 5, stream, now: () => 0 });
    progress.show(stepRecord(1));
    progress.show(stepRecord(2));
    progress.stop();
    progress.stop();
    assert.equal(stream.lines.length, 2);
    assert.match(stream.lines[0], /step 2\/200/);
  });
});
