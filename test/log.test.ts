import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { addLogContext, logLine, setLogFormat } from '../src/common/log.js';
import { workersOf } from './support/trainer/processes.js';
import { Program } from './support/trainer/program.js';
import { Workplace } from './support/trainer/workplace.js';

type Line = Readonly<Record<string, unknown>>;

const parse = (lines: readonly string[]): Line[] => lines.map((line) => JSON.parse(line) as Line);

describe('a line of the log', () => {
  after(() => {
    setLogFormat('text');
  });

  it('is its message alone for people', () => {
    assert.equal(logLine('worker 1 joins', { worker: 1 }), 'worker 1 joins\n');
  });

  it('is one JSON object for programs, with what it is about', () => {
    setLogFormat('json');
    addLogContext({ run: 'a' });
    const line = logLine('two\nlines', { level: 'warn', worker: 1 });
    assert.ok(line.endsWith('}\n') && line.indexOf('\n') === line.length - 1);
    const { time, ...rest } = JSON.parse(line) as Line;
    assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
    assert.deepEqual(rest, { level: 'warn', run: 'a', worker: 1, message: 'two\nlines' });
  });
});

describe('--log json', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  it('has the run in every line, the numbers of a step, and the worker that a line is about', async () => {
    const options = ['--workers', '2', '--shards', '2', '--sample-every', '0', '--log', 'json'];
    const program = workplace.start(workplace.training('run', [...options, '--steps', '1000000']));
    await program.line(/"step":1,/);
    const [pid] = workersOf(program.pid);
    process.kill(pid, 'SIGKILL');
    const [lost] = await program.line(/^.*was killed by SIGKILL.*$/);
    program.signal('SIGINT');
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    const objects = parse(lines);
    const [{ run }] = objects;
    assert.match(String(run), /^[0-9a-f-]{36}$/);
    assert.ok(objects.every((each) => each['run'] === run && each['message'] !== undefined));
    const { worker, level } = JSON.parse(lost) as Line;
    assert.ok(worker === 0 || worker === 1);
    assert.equal(level, 'warn');
    const first = objects.find(({ step }) => step === 1);
    assert.equal(typeof first?.['generatorLoss'], 'number');

    const again = ['train', '--resume', 'run', '--log', 'json', '--single-node', '--steps', '1'];
    const refused = await workplace.start(again).ended();
    const [last] = parse(refused.lines.slice(-1));
    assert.deepEqual([refused.code, last['run'], last['level']], [2, run, 'error']);
    assert.match(String(last['message']), /^the run has done \d+ of 1 steps: /);
  });

  it('is the way of workers from elsewhere too', async () => {
    const worker = Program.start(
      'worker',
      ['--coordinator', 'tcp://127.0.0.1:1', '--connect-timeout', '0.3', '--log', 'json'],
      workplace.place(),
    );
    const { code, lines } = await worker.ended();
    assert.equal(code, 1);
    const [{ level, message }] = parse(lines);
    assert.equal(level, 'error');
    assert.match(String(message), /^nobody answers at tcp:/);
  });
});
