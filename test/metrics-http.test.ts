import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { formatHttpAddress, parseHttpAddress } from '../src/common/http-address.js';
import { startHttpServer, type HttpServer, type HttpServerOptions } from '../src/monitoring/http/server.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { parsePrometheusText } from './support/prometheus-text.js';
import { siteOf } from './support/site.js';
import { stepRecord } from './support/step-record.js';

const metrics = new RunMetrics({ batchSize: 64 });
metrics.recordStep(stepRecord(12), {});

async function serve(t: TestContext, options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const defaults = { host: '127.0.0.1', port: 0, metrics, isReady: () => true };
  const server = await startHttpServer({ ...defaults, ...options });
  t.after(() => server.close());
  return server;
}

async function ask(
  { address }: HttpServer,
  path: string,
  options: RequestOptions = {},
): Promise<IncomingMessage & { body: string }> {
  const asked = request({ ...address, path, agent: false, ...options }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return Object.assign(response, { body: await text(response) });
}

describe('the HTTP server', () => {
  it('gives Prometheus its metrics', async (t) => {
    const server = await serve(t);
    const response = await ask(server, '/metrics?name[]=dcgan_step');
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(parsePrometheusText(response.body).get('dcgan_step')?.samples.get('dcgan_step'), 12);
  });

  it('says whether it lives and whether it is ready', async (t) => {
    let ready = false;
    const server = await serve(t, { isReady: () => ready });
    assert.deepEqual(await answerTo('/healthz'), [200, 'ok\n']);
    assert.deepEqual(await answerTo('/readyz'), [503, 'not ready\n']);
    ready = true;
    assert.deepEqual(await answerTo('/readyz'), [200, 'ready\n']);

    async function answerTo(path: string): Promise<unknown[]> {
      const { statusCode, body } = await ask(server, path);
      return [statusCode, body];
    }
  });

  it('lists what there is, that of its site too', async (t) => {
    const server = await serve(t, { site: siteOf({ '/': '<h1>12</h1>' }) });
    assert.equal((await ask(server, '/')).body, '<h1>12</h1>');
    const { statusCode, body } = await ask(server, '/elsewhere');
    assert.deepEqual([statusCode, body], [404, 'not found: there are /healthz /metrics /readyz /\n']);
  });

  it('refuses other paths and methods, and answers HEAD without a body', async (t) => {
    const server = await serve(t);
    assert.equal((await ask(server, '/favicon.ico')).statusCode, 404);
    assert.equal((await ask(server, '/metrics/')).statusCode, 404);
    const post = await ask(server, '/metrics', { method: 'POST' });
    assert.deepEqual([post.statusCode, post.headers.allow], [405, 'GET, HEAD']);
    const head = await ask(server, '/healthz', { method: 'HEAD' });
    assert.deepEqual([head.statusCode, head.headers['content-length'], head.body], [200, '3', '']);
  });

  it('survives a page that fails', async (t) => {
    const server = await serve(t, {
      isReady: () => {
        throw new Error('no state yet');
      },
    });
    const { statusCode, body } = await ask(server, '/readyz');
    assert.deepEqual([statusCode, body], [500, 'no state yet\n']);
    assert.equal((await ask(server, '/healthz')).statusCode, 200);
  });

  it('closes, whoever keeps a connection open', async (t) => {
    const server = await serve(t);
    const agent = new Agent({ keepAlive: true });
    t.after(() => {
      agent.destroy();
    });
    const [kept] = (await once(get({ ...server.address, path: '/healthz', agent }), 'response')) as [
      IncomingMessage,
    ];
    await text(kept);
    const half = connect(server.address.port, '127.0.0.1');
    await once(half, 'connect');
    half.write('GET /metrics HTTP/1.1\r\nHost: ');
    const ended = once(half.on('error', () => undefined).resume(), 'close');
    await server.close();
    await ended;
    await server.close(); // twice does no harm
    await assert.rejects(ask(server, '/healthz'), /ECONNREFUSED/);
  });

  it('says in one line why it cannot listen', async (t) => {
    const { address } = await serve(t);
    await assert.rejects(
      serve(t, address),
      new UserError(
        `port ${address.port} on 127.0.0.1 is taken: give another with --http HOST:PORT, or --no-http`,
      ),
    );
    await assert.rejects(
      serve(t, { host: 'host.invalid' }),
      isUserError(/^host\.invalid is not known: .*--no-http$/),
    );
    // 192.0.2.0/24 is reserved for documentation: no machine has it.
    await assert.rejects(
      serve(t, { host: '192.0.2.1' }),
      isUserError(/^192\.0\.2\.1 is not an address of this machine/),
    );
  });
});

describe('an HTTP address', () => {
  it('is a host and a port', () => {
    assert.deepEqual(parseHttpAddress('127.0.0.1:9464'), { host: '127.0.0.1', port: 9464 });
    assert.deepEqual(parseHttpAddress('trainer-0.local:0'), { host: 'trainer-0.local', port: 0 });
    assert.deepEqual(parseHttpAddress('[::1]:65535'), { host: '::1', port: 65_535 });
    assert.equal(formatHttpAddress({ host: '::1', port: 80 }), '[::1]:80');
    assert.equal(formatHttpAddress({ host: '0.0.0.0', port: 80 }), '0.0.0.0:80');
  });

  it('is nothing else', () => {
    for (const wrong of [
      '',
      '9464',
      ':9464',
      'host:',
      'host:65536',
      'host:-1',
      'host:1.5',
      '::1:80',
      'http://host:80',
      'a b:1',
    ]) {
      assert.throws(() => parseHttpAddress(wrong), isUserError(/is not HOST:PORT/), wrong);
    }
  });
});

function isUserError(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof UserError && message.test(error.message) && !error.message.includes('\n');
}
