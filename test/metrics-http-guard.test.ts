import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../src/common/secret.js';
import { startHttpServer, type HttpServer, type HttpServerOptions } from '../src/monitoring/http/server.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { siteOf } from './support/site.js';
import { until } from './support/wire/until.js';

const TOKEN = '0123456789abcdef';
const metrics = new RunMetrics({ batchSize: 64 });

async function serve(t: TestContext, options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const defaults = { host: '127.0.0.1', port: 0, metrics, isReady: () => true };
  const server = await startHttpServer({ ...defaults, ...options });
  t.after(() => server.close());
  return server;
}

async function ask({ address }: HttpServer, path: string, options: RequestOptions = {}) {
  const asked = request({ ...address, path, agent: false, ...options }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return Object.assign(response, { body: await text(response) });
}

/** A plain connection that sends these bytes, and whether it was closed. */
async function open(t: TestContext, { address }: HttpServer, bytes: string) {
  const socket: Socket = connect(address.port, address.host);
  t.after(() => socket.destroy());
  const connection = { socket, answer: '', closed: false };
  socket
    .on('error', () => undefined)
    .on('close', () => {
      connection.closed = true;
    });
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    connection.answer += chunk;
  });
  await once(socket, 'connect');
  socket.write(bytes);
  return connection;
}

describe('a token', () => {
  it('is needed for every page but those that say whether it lives', async (t) => {
    const server = await serve(t, { token: new Secret(TOKEN) });
    const statusOf = async (path: string, authorization?: string): Promise<number | undefined> =>
      (await ask(server, path, { headers: authorization === undefined ? {} : { authorization } })).statusCode;
    for (const path of [
      '/',
      '/metrics',
      '/metrics?token=0123456789abcdef',
      '/nowhere',
      '/healthz/../metrics',
    ]) {
      const { statusCode, headers, body } = await ask(server, path);
      assert.equal(statusCode, 401, path);
      assert.match(headers['www-authenticate'] ?? '', /^Bearer /);
      assert.ok(!body.includes('dcgan_'));
    }
    for (const path of ['/healthz', '/readyz?x']) assert.equal(await statusOf(path), 200);
    for (const wrong of [
      '',
      'Bearer',
      TOKEN,
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}0`,
      `Bearer ${TOKEN.slice(1)}`,
      `Bearer ${TOKEN} ${TOKEN}`,
      `Bearer ${TOKEN.toUpperCase()}`,
    ])
      assert.equal(await statusOf('/metrics', wrong), 401, wrong);
    for (const right of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`])
      assert.equal(await statusOf('/metrics', right), 200, right);
  });

  it('is never shown', () => {
    const secret = new Secret(TOKEN);
    for (const shown of [JSON.stringify({ secret }), inspect(secret, { showHidden: true })])
      assert.ok(!shown.includes(TOKEN), shown);
    assert.equal(JSON.stringify({ secret }), '{}');
  });
});

describe('an HTTP server of this machine', () => {
  it('answers to no name but its own', async (t) => {
    const server = await serve(t);
    const { port } = server.address;
    for (const host of [`127.0.0.1:${port}`, 'localhost', 'LOCALHOST:1', '[::1]:80', '127.0.0.2'])
      assert.equal((await ask(server, '/metrics', { headers: { host } })).statusCode, 200, host);
    for (const host of [
      'evil.example',
      `127.0.0.1.evil.example:${port}`,
      'localhost.evil.example',
      '10.0.0.1',
    ])
      assert.equal((await ask(server, '/metrics', { headers: { host } })).statusCode, 403, host);
    const nameless = await open(t, server, 'GET /metrics HTTP/1.0\r\n\r\n');
    await until('an answer', () => nameless.answer.startsWith('HTTP/1.1 403 '));
  });

  it('lets nobody keep, frame or run what it says, whatever it says', async (t) => {
    const server = await serve(t);
    for (const path of ['/', '/metrics', '/healthz', '/nowhere']) {
      const { headers } = await ask(server, path, { headers: { origin: 'http://evil.example' } });
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cache-control'], 'no-store');
      assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.ok(!Object.keys(headers).some((name) => name.startsWith('access-control')));
    }
  });

  it('limits URLs, headers and requests of a connection', async (t) => {
    const server = await serve(t);
    assert.equal((await ask(server, `/metrics?${'x'.repeat(2000)}`)).statusCode, 414);
    const headers = { 'X-Long': 'x'.repeat(9000) };
    assert.equal((await ask(server, '/healthz', { headers })).statusCode, 431);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => {
      agent.destroy();
    });
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 101; i++) {
      const asked = request({ ...server.address, path: '/healthz', agent }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      ports.add(response.socket.localPort);
      await text(response);
    }
    assert.equal(ports.size, 2);
  });

  it('answers while others open hundreds of connections and hardly say anything', async (t) => {
    const server = await serve(t);
    const slow = await Promise.all(
      Array.from({ length: 200 }, () => open(t, server, 'GET /metrics HTTP/1.1\r\nHost: ')),
    );
    assert.equal((await ask(server, '/healthz')).statusCode, 200);
    const isHeld = (): number => slow.filter(({ closed }) => !closed).length;
    await until('most of them to be closed', () => isHeld() <= 64);
    assert.ok(isHeld() > 0, 'they are closed for the room they take, not for being slow');
    assert.equal((await ask(server, '/metrics')).statusCode, 200);
  });

  it('hangs up on who never comes to an end, or never takes an answer', async (t) => {
    const large = 'x'.repeat(30_000_000); // More than the kernel takes off the server's hands.
    const server = await serve(t, { requestTimeout: 300, site: siteOf({ '/': large }) });
    const silent = await open(t, server, '');
    const dripping = await open(t, server, 'GET /metrics HTTP/1.1\r\n');
    const deaf = await open(t, server, '');
    deaf.socket.pause().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const drip = setInterval(() => dripping.socket.write('X-A: b\r\n'), 50);
    // Who does not read learns of the end when it writes; more rarely than the server's patience lasts.
    const poke = setInterval(() => deaf.socket.write('\r\n'), 1000);
    t.after(() => {
      clearInterval(drip);
      clearInterval(poke);
    });
    await until('the silent one to be cut off', () => silent.closed);
    await until('the dripping one to be cut off', () => dripping.closed);
    await until('the deaf one to be cut off', () => deaf.closed);
    assert.ok(deaf.answer.length < large.length);
  });
});
