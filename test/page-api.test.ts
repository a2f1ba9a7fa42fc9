import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { Secret } from '../src/common/secret.js';
import { MOST_LISTENERS } from '../src/monitoring/live/event-stream.js';
import { LiveSite } from '../src/monitoring/live/api.js';
import { RunControl } from '../src/monitoring/live/run-control.js';
import { RunEvents } from '../src/monitoring/live/event-log.js';
import { RunFiles } from '../src/monitoring/live/run-files.js';
import { thinned } from '../src/monitoring/live/thin-events.js';
import { ShownRun } from '../src/monitoring/live/run-view.js';
import { StepBuckets } from '../src/monitoring/live/step-buckets.js';
import { startHttpServer, type HttpServer } from '../src/monitoring/http/server.js';
import { RunFolder } from '../src/run/run-directory.js';
import { formatStepLine } from '../src/run/step-line.js';
import { StepLog } from '../src/run/step-log.js';
import type { EvaluationList, RunInfo, StepColumns } from '../src/monitoring/page/api.js';
import { loggedEvaluation, stepRecord } from './support/step-record.js';
import { until } from './support/wire/until.js';

const TOKEN = '0123456789abcdef';

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => formatStepLine(stepRecord(from + i))).join('');

describe('the API of the page', () => {
  let folder: string;
  let run: RunFolder;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-page-'));
    run = await RunFolder.create(join(folder, 'run'));
    await run.writeOptions({ training: { seed: 7 }, plannedSteps: 100, arguments: {} });
    await writeFile(run.statsFile, lines(1, 20));
    await writeFile(run.samplePicture(10), 'a picture');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function serve(t: TestContext, control?: RunControl): Promise<HttpServer> {
    const site = new LiveSite({ runs: [ShownRun.of(run)], control });
    const token = control && new Secret(TOKEN);
    const server = await startHttpServer({ host: '127.0.0.1', port: 0, site, token });
    t.after(() => server.close());
    return server;
  }

  async function ask({ address }: HttpServer, path: string, options: RequestOptions = {}) {
    const asked = request({ ...address, path, agent: false, ...options }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }

  /** What a stream says, as it comes. */
  async function listen(t: TestContext, { address }: HttpServer, lastEventId?: string) {
    const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
    const asked = request({ ...address, path: '/api/events', agent: false, headers }).end();
    t.after(() => asked.destroy());
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const heard = { status: response.statusCode, text: '' };
    response.setEncoding('utf8').on('data', (part: string) => (heard.text += part));
    response.on('error', () => undefined);
    return heard;
  }

  it('says what the run is, and where it stands', async (t) => {
    const server = await serve(t);
    const { runs, control } = JSON.parse((await ask(server, '/api/runs')).body) as {
      runs: Record<string, unknown>[];
      control: boolean;
    };
    const [{ name, state, step, totalSteps, options }] = runs;
    assert.deepEqual(
      { name, state, step, totalSteps, options, control },
      { name: 'run', state: 'ended', step: 20, totalSteps: 100, options: { seed: '7' }, control: false },
    );
    const { last, steps } = JSON.parse((await ask(server, '/api/steps')).body) as StepColumns;
    assert.deepEqual([last, steps.length], [20, 20]);
  });

  it('says how face-like the samples were, once they were evaluated', async (t) => {
    const server = await serve(t);
    const evaluations = async (): Promise<unknown> => {
      const { evaluations: list } = JSON.parse(
        (await ask(server, '/api/evaluations')).body,
      ) as EvaluationList;
      const { evaluations: which } = JSON.parse((await ask(server, '/api/run')).body) as RunInfo;
      return [which, list];
    };
    assert.deepEqual(await evaluations(), [0, []]);
    await mkdir(run.evaluations);
    await writeFile(run.evaluationFile(10), JSON.stringify(loggedEvaluation(10)));
    await writeFile(run.evaluationFile(20), 'not whole');
    assert.deepEqual(await evaluations(), [1, [loggedEvaluation(10)]]);
    await writeFile(`${run.evaluationFile(20)}.new`, JSON.stringify(loggedEvaluation(20)));
    await rename(`${run.evaluationFile(20)}.new`, run.evaluationFile(20));
    assert.deepEqual(await evaluations(), [2, [loggedEvaluation(10), loggedEvaluation(20)]]);
  });

  it('hands over pictures by their number and nothing else', async (t) => {
    const server = await serve(t);
    const picture = await ask(server, '/samples/step-000010.png');
    assert.deepEqual(
      [picture.status, picture.headers['content-type'], picture.body],
      [200, 'image/png', 'a picture'],
    );
    assert.deepEqual(JSON.parse((await ask(server, '/api/samples')).body), { steps: [10] });
    for (const path of [
      '/samples/step-000011.png',
      '/samples/../options.json',
      '/samples/step-000010.png/../../options.json',
      '/samples/..%2foptions.json',
      '/options.json',
      '/samples/step-000010.png?run=1',
      '/samples/step-000010.png?run=-1',
      '/reals.png',
      '/../page.css',
    ])
      assert.equal((await ask(server, path)).status, 404, path);
    for (const points of ['0', '3', '9000', 'x', '1e3', ''])
      assert.equal((await ask(server, `/api/steps?points=${points}`)).status, 400, points);
  });

  it('streams what is new, and goes on where a stream was broken off', async (t) => {
    const server = await serve(t);
    const stream = await listen(t, server, '18:0:-1');
    await until('the steps that were missed', () => /"steps":\[\{"step":19,.*\{"step":20,/.test(stream.text));
    assert.ok(!stream.text.includes('"step":18,'));
    await until('the samples', () => stream.text.includes('data: {"run":0,"steps":[10]}'));
    await appendFile(run.statsFile, `${lines(21, 21)}{"step":22`);
    await appendFile(
      run.eventsFile,
      'torn{\n{"time":"2026-01-01T00:00:00Z","kind":"lost","step":21,"message":"m"}\n',
    );
    await until('the next step', () =>
      /id: 21:\d:10\ndata: \{"run":0,"steps":\[\{"step":21,/.test(stream.text),
    );
    await until('the event', () => /id: 21:2:10\ndata: .*"id":2,.*"kind":"lost"/.test(stream.text));
    // The run goes back.
    await truncate(run.statsFile, lines(1, 5).length);
    await until('a reset', () => stream.text.includes('event: reset'));
    const { last } = JSON.parse((await ask(server, '/api/steps')).body) as StepColumns;
    assert.equal(last, 5);
    // Who knows more than there is begins anew; who sends nonsense gets all.
    const ahead = await listen(t, server, '9:2:10');
    await until('a reset at once', () => ahead.text.includes('event: reset'));
    const nonsense = await listen(t, server, '../../etc');
    await until('all steps', () => /"steps":\[\{"step":1,/.test(nonsense.text));
  });

  it('sees what was written over between two looks, though the files are longer than before', async () => {
    const eventLines = (from: number, to: number): string =>
      Array.from({ length: to - from + 1 }, (_, i) => {
        const event = { id: from + i, time: '2026-01-01T00:00:00Z', kind: 'checkpoint', step: 1 };
        return `${JSON.stringify({ ...event, message: 'm'.repeat(i % 37) })}\n`;
      }).join('');
    const files = new RunFiles(run);
    await writeFile(run.eventsFile, eventLines(1, 35));
    await files.refresh();
    assert.deepEqual([files.last?.step, files.events.length, files.edition], [20, 35, 0]);
    // The run goes back to step 5, and comes further than before.
    const log = await StepLog.resume(run.statsFile, 5, (line) => assert.fail(line));
    for (let step = 6; step <= 30; step++) await log.append({ ...stepRecord(step), generatorLoss: 42 });
    await log.close();
    await writeFile(run.eventsFile, eventLines(20, 60));
    await files.refresh();
    assert.deepEqual(
      files.recent.map(({ step, generatorLoss }) => [step, generatorLoss]),
      Array.from({ length: 30 }, (_, i) => [i + 1, i < 5 ? stepRecord(i + 1).generatorLoss : 42]),
    );
    assert.deepEqual([files.edition, files.fault], [1, null]);
    assert.deepEqual(
      files.events.map(({ id }) => id),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
  });

  it('has as many listeners as it can bear, and ends their streams', async (t) => {
    const server = await serve(t);
    const all = await Promise.all(Array.from({ length: MOST_LISTENERS }, () => listen(t, server)));
    assert.ok(all.every(({ status }) => status === 200));
    assert.equal((await ask(server, '/api/events')).status, 503);
    const begun = performance.now();
    await server.close();
    assert.ok(performance.now() - begun < 900, 'it waits for no stream');
    await until('the last word', () => all.every((each) => each.text.endsWith('data: {}\n\n')));
  });

  it('is worked by who has the token alone', async (t) => {
    const stop = new AbortController();
    const control = new RunControl(stop.signal, () => {
      stop.abort();
    });
    const server = await serve(t, control);
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const path of ['/', '/main.js', '/uplot.css'])
      assert.equal((await ask(server, path)).status, 200, path);
    for (const path of ['/api/run', '/api/steps', '/api/events', '/samples/step-000010.png', '/reals.png'])
      assert.equal((await ask(server, path)).status, 401, path);
    assert.equal((await ask(server, '/api/pause', { method: 'POST' })).status, 401);
    assert.equal((await ask(server, '/api/pause', { headers })).status, 405);
    assert.equal((await ask(server, '/api/run', { method: 'POST', headers })).status, 405);
    const withBody = { method: 'POST', headers: { ...headers, 'content-length': '1' } };
    const asked = request({ ...server.address, path: '/api/pause', agent: false, ...withBody });
    asked.end('x');
    assert.equal(((await once(asked, 'response')) as [IncomingMessage])[0].statusCode, 413);
    assert.equal(control.isPaused, false);

    const post = (path: string) => ask(server, path, { method: 'POST', headers });
    assert.equal((await post('/api/pause')).body, '{"paused":true,"stopping":false}\n');
    let passed = false;
    const gate = control.passed().then(() => {
      passed = true;
    });
    await new Promise(setImmediate);
    assert.equal(passed, false);
    assert.equal((await post('/api/resume')).body, '{"paused":false,"stopping":false}\n');
    await gate;
    await post('/api/pause');
    const second = control.passed();
    assert.equal((await post('/api/stop')).body, '{"paused":false,"stopping":true}\n');
    await second; // who waits at the gate is to end
  });

  it('lets nobody act where there is no token', async (t) => {
    const server = await serve(t);
    for (const path of ['/api/pause', '/api/resume', '/api/stop'])
      assert.equal((await ask(server, path, { method: 'POST' })).status, 403, path);
  });
});

describe('the curves of a long run', () => {
  it('stay as they were in a few rows, spikes included', () => {
    const buckets = new StepBuckets();
    for (let step = 1; step <= 100_000; step++) {
      const generatorLoss = step === 54_321 ? 99 : step === 54_322 ? -99 : Math.sin(step);
      buckets.add({ ...stepRecord(step), generatorLoss, realScore: Number.NaN });
    }
    const { steps, measures, last } = buckets.columns(2_000);
    assert.equal(last, 100_000);
    assert.ok(steps.length <= 2_000 && steps.length > 1_000, String(steps.length));
    assert.deepEqual([steps[0], steps.at(-1)], [1, 100_000]);
    assert.ok(steps.every((step, row) => row === 0 || step > steps[row - 1]));
    const losses = measures.generatorLoss as number[];
    assert.deepEqual([Math.max(...losses), Math.min(...losses)], [99, -99]);
    assert.ok(Math.abs(steps[losses.indexOf(99)] - 54_321) < 200);
    assert.ok(losses.indexOf(99) < losses.indexOf(-99), 'in the order in which they came');
    assert.ok(measures.realScore.every((score) => score === null));
  });
});

describe('events.jsonl', () => {
  it('gets whole lines, and rejections that are counted where there are many', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-events-'));
    t.after(() => rm(folder, { recursive: true }));
    const path = join(folder, 'events.jsonl');
    await writeFile(path, '{"torn');
    const events = new RunEvents(() => 3);
    events.hear('worker 0 joins', { event: 'joined' });
    events.hear('nothing for the time line');
    events.open(path);
    for (let i = 0; i < 1000; i++) events.rejected('wrong_generation');
    t.mock.timers.tick(10_000);
    for (let i = 0; i < 1000; i++) events.rejected('wrong_generation');
    await events.close();
    const [torn, ...written] = (await readFile(path, 'utf8')).trimEnd().split('\n');
    assert.equal(torn, '{"torn');
    assert.deepEqual(
      written.map((line) => (JSON.parse(line) as { message: string }).message),
      [
        'worker 0 joins',
        '1 message rejected: wrong generation',
        '999 messages rejected: wrong generation',
        '1000 messages rejected: wrong generation',
      ],
    );
  });

  it('loses the oldest of the commonest kind first, by hand', () => {
    const events = 'abaacaba'.split('').map((kind, id) => ({ kind, id }));
    const left = (keep: number): string =>
      thinned(events, keep)
        .map(({ kind, id }) => `${kind}${id}`)
        .join(' ');
    assert.equal(left(8), 'a0 b1 a2 a3 c4 a5 b6 a7');
    assert.equal(left(6), 'b1 a3 c4 a5 b6 a7');
    assert.equal(left(3), 'c4 b6 a7');
  });

  it('stays bounded, keeps what is rare, and is read on by who has read it before', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-events-'));
    t.after(() => rm(folder, { recursive: true }));
    const run = await RunFolder.create(join(folder, 'run'));
    let step = 0;
    const write = async (count: number): Promise<void> => {
      const events = new RunEvents(() => step, 40);
      events.add('begun', `after ${step}`);
      events.open(run.eventsFile);
      for (let i = 0; i < count; i++) events.add('checkpoint', `of step ${++step}`);
      await events.close();
    };
    const reader = new RunFiles(run);
    await write(20);
    await reader.refresh();
    // So many more that the file is thinned and is as long as before when it is looked at again; then by another process.
    await write(25);
    await reader.refresh();
    await write(300);
    await reader.refresh();
    const lines = (await readFile(run.eventsFile, 'utf8')).trimEnd().split('\n');
    const written = lines.map((line) => JSON.parse(line) as { id: number; kind: string; message: string });
    assert.ok(lines.length > 20 && lines.length <= 40, String(lines.length));
    assert.deepEqual(
      written.filter(({ kind }) => kind === 'begun').map(({ message }) => message),
      ['after 0', 'after 20', 'after 45'],
    );
    const checkpoints = written.filter(({ kind }) => kind === 'checkpoint');
    assert.deepEqual(
      checkpoints.map(({ message }) => message),
      checkpoints.map((_, i) => `of step ${345 - checkpoints.length + 1 + i}`),
    );
    assert.equal(written.at(-1)?.id, 348, 'every event has a number of its own');
    // What was thinned away between two looks was not seen; nothing is seen twice.
    const ids = reader.events.map(({ id }) => id);
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((one, other) => one - other),
    );
    assert.deepEqual(
      reader.events.slice(-checkpoints.length).map(({ id }) => id),
      checkpoints.map(({ id }) => id),
    );
    assert.deepEqual(
      ids.slice(0, 21),
      Array.from({ length: 21 }, (_, i) => i + 1),
    );
  });
});
