import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { LiveSite } from '../src/monitoring/live/api.js';
import { RunFiles } from '../src/monitoring/live/run-files.js';
import { ShownRun } from '../src/monitoring/live/run-view.js';
import { AnswerTurns } from '../src/monitoring/http/answer-turns.js';
import { startHttpServer, type HttpServer, type Site } from '../src/monitoring/http/server.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { RunFolder } from '../src/run/run-directory.js';
import { formatStepLine } from '../src/run/step-line.js';
import { siteOf } from './support/site.js';
import { stepRecord } from './support/step-record.js';
import { until } from './support/wire/until.js';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

async function serve(t: TestContext, site: Site): Promise<HttpServer> {
  const metrics = new RunMetrics({ batchSize: 64 });
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, metrics, isReady: () => true, site });
  t.after(() => server.close());
  return server;
}

async function ask({ address }: HttpServer, path: string): Promise<string> {
  const asked = request({ ...address, path, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await text(response)}`;
}

/** The status of an answer that has no end. */
async function statusOfStream(t: TestContext, { address }: HttpServer, path: string): Promise<number> {
  const asked = request({ ...address, path, agent: false }).end();
  t.after(() => asked.destroy());
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => undefined).resume();
  return response.statusCode ?? 0;
}

async function send(t: TestContext, { address }: HttpServer, bytes: string): Promise<Socket> {
  const socket = connect(address.port, address.host).on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

/** A site that is asked for /0, /1, ... and answers when `finish` is called with one of these paths. */
function slowSite() {
  const begun: string[] = [];
  const finishes = new Map<string, () => void>();
  const site: Site = {
    ...siteOf({}),
    answer: async ({ path }) => {
      begun.push(path);
      await new Promise<void>((resolve) => finishes.set(path, resolve));
      return { status: 200, type: 'text/plain', body: `answer ${path}` };
    },
  };
  return { site, begun, finish: (path: string) => finishes.get(path)?.() };
}

/** Paths of the files that this process has open. */
async function openFiles(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  return Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')));
}

async function longRun(t: TestContext, steps: number): Promise<RunFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'dcgan-load-'));
  t.after(() => rm(folder, { recursive: true }));
  const run = await RunFolder.create(join(folder, 'run'));
  await run.writeOptions({ training: { seed: 7 }, plannedSteps: steps, arguments: {} });
  const lines = Array.from({ length: steps }, (_, i) =>
    formatStepLine({ ...stepRecord(i + 1), generatorLoss: Math.sin(i), realScore: Math.cos(i) }),
  );
  await writeFile(run.statsFile, lines.join(''));
  return run;
}

describe('a connection with pipelined requests', () => {
  it('gets one answer at a time, in order', async (t) => {
    const { site, begun, finish } = slowSite();
    const server = await serve(t, site);
    const socket = await send(t, server, ['/0', '/1', '/2'].map(get).join(''));
    let answers = '';
    socket.setEncoding('latin1').on('data', (part: string) => (answers += part));
    for (const path of ['/0', '/1', '/2']) {
      await until(`${path} to begin`, () => begun.includes(path));
      assert.equal(begun.at(-1), path);
      await ask(server, '/healthz'); // The server has read everything by now.
      assert.equal(begun.at(-1), path, 'the next answer waits');
      finish(path);
      await until(`the answer to ${path}`, () => answers.includes(`answer ${path}`));
    }
    assert.deepEqual(begun, ['/0', '/1', '/2']);
  });

  it('leaves nothing behind when it closes, though it asked for 40 streams', async (t) => {
    const run = await longRun(t, 10);
    const server = await serve(t, new LiveSite({ runs: [ShownRun.of(run)] }));
    const socket = await send(t, server, get('/api/events').repeat(40));
    await once(socket, 'data');
    // The streams that one connection holds do not keep 15 others out.
    const others = Array.from({ length: 15 }, () => statusOfStream(t, server, '/api/events'));
    assert.deepEqual(await Promise.all(others), new Array(15).fill(200));
    socket.destroy();
    await until('its place to be free', async () => (await statusOfStream(t, server, '/api/events')) === 200);
  });

  it('does not begin what was asked for by a client that has left', async (t) => {
    const { site, begun, finish } = slowSite();
    const server = await serve(t, site);
    const socket = await send(t, server, ['/0', '/1'].map(get).join(''));
    await until('the first to begin', () => begun.length > 0);
    socket.destroy();
    // The server learns of it before it answers these.
    for (let i = 0; i < 3; i++) await ask(server, '/healthz');
    finish('/0');
    const other = ask(server, '/2');
    await until('another to begin', () => begun.includes('/2'));
    finish('/2');
    assert.equal(await other, '200 answer /2');
    assert.deepEqual(begun, ['/0', '/2']);
  });
});

describe('clients that ask for more than they read', () => {
  it('take a bounded part of the memory and of the main thread', async (t) => {
    const server = await serve(t, new LiveSite({ runs: [ShownRun.of(await longRun(t, 9_000))] }));
    const path = '/api/steps?points=8192';
    assert.match(await ask(server, path), /^200 /);
    const columns = t.mock.method(RunFiles.prototype, 'columns');
    const before = process.memoryUsage.rss();
    const attackers = await Promise.all(
      Array.from({ length: 64 }, async () => (await send(t, server, get(path).repeat(100))).pause()),
    );
    await until('the attack to begin', () => columns.mock.callCount() > 0);

    // What trains on this thread gets its turn between any two answers.
    const begun = columns.mock.callCount();
    for (let turn = 1; turn <= 300; turn++) {
      await pause(1);
      assert.ok(
        columns.mock.callCount() - begun <= 2 * turn + 1,
        `${columns.mock.callCount()} in ${turn} turns`,
      );
    }
    const grown = (process.memoryUsage.rss() - before) / 1024 ** 2;
    assert.ok(grown < 400, `memory grew by ${Math.round(grown)} MiB`);
    // Others are answered meanwhile.
    assert.equal(await ask(server, '/healthz'), '200 ok\n');
    assert.match(await ask(server, '/metrics'), /^200 .*dcgan_/s);
    assert.match(await ask(server, '/api/run'), /^200 /);
    for (const socket of attackers) socket.destroy();
  });

  it('are hung up on in the order in which they asked, beyond 16 MiB', async (t) => {
    const large = 'x'.repeat(30_000_000); // More than the kernel takes off the server's hands.
    const server = await serve(t, siteOf({ '/': large, '/small': 'small' }));
    const sockets: Socket[] = [];
    for (let client = 0; client < 3; client++) {
      const socket = await send(t, server, get('/'));
      await once(socket, 'readable'); // It is being answered.
      sockets.push(socket);
    }
    const [first, second, last] = sockets.map(async (socket) => {
      let bytes = 0;
      socket.on('data', (part: Buffer) => (bytes += part.length));
      await until(
        'all of it, or the end',
        () => bytes > large.length || socket.readableEnded || socket.destroyed,
      );
      return bytes > large.length;
    });
    assert.deepEqual([await first, await second, await last], [false, false, true]);
    assert.equal(await ask(server, '/small'), '200 small');
  });
});

describe('pictures', () => {
  it('are read from the file as the client takes them, and closed with it', async (t) => {
    const run = await longRun(t, 10);
    const picture = Buffer.alloc(30_000_000, 'picture');
    await writeFile(run.samplePicture(10), picture);
    const server = await serve(t, new LiveSite({ runs: [ShownRun.of(run)] }));
    const path = '/samples/step-000010.png';
    assert.equal(await ask(server, path), `200 ${picture.toString()}`);
    const isOpen = async (): Promise<boolean> => (await openFiles()).includes(run.samplePicture(10));
    const socket = await send(t, server, get(path));
    await once(socket, 'readable');
    assert.ok(await isOpen());
    socket.destroy();
    await until('the file to be closed', async () => !(await isOpen()));
    const asked = request({ ...server.address, path, agent: false, method: 'HEAD' }).end();
    const [head] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal(head.headers['content-length'], String(picture.length));
    await until('the file to be closed', async () => !(await isOpen()));
  });
});

describe('turns of answers', () => {
  it('alternate between kinds, one at a time', async () => {
    const turns = new AnswerTurns();
    const done: string[] = [];
    let running = 0;
    const take = (kind: string, name: string): Promise<void> =>
      turns.take(
        kind,
        () => false,
        async () => {
          assert.equal(++running, 1);
          await pause(2);
          running--;
          done.push(name);
        },
      );
    await Promise.all([
      ...['a1', 'a2', 'a3'].map((name) => take('a', name)),
      ...['b1', 'b2'].map((name) => take('b', name)),
      take('c', 'c1'),
    ]);
    // The first is under way before the others come.
    assert.deepEqual(done, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
  });

  it('pass over clients that have left, and survive a failure', async () => {
    const turns = new AnswerTurns();
    await assert.rejects(
      turns.take(
        'a',
        () => true,
        () => 7,
      ),
      /the client has left/,
    );
    await assert.rejects(
      turns.take(
        'a',
        () => false,
        () => {
          throw new Error('no state yet');
        },
      ),
      /no state yet/,
    );
    assert.equal(
      await turns.take(
        'a',
        () => false,
        () => 7,
      ),
      7,
    );
  });
});
