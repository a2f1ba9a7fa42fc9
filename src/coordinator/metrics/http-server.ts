import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf, messageOf, UserError } from '../../common/errors.js';
import { formatHttpAddress, type HttpAddress } from './http-address.js';
import type { RunMetrics } from './run-metrics.js';

export interface HttpServerOptions extends HttpAddress {
  readonly metrics: RunMetrics;
  /** Whether training goes on: all workers that it needs are there. */
  readonly isReady: () => boolean;
  /** The run's state, for people: a JSON object. */
  readonly describe: () => object;
}

export interface HttpServer {
  /** With the port that was taken, where 0 was asked for. */
  readonly address: HttpAddress;
  /** Lets answers that are under way end, for a second at most. */
  close(): Promise<void>;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Pages = ReadonlyMap<string, () => Page | Promise<Page>>;

/** A scraper sends little and at once; who does not is held no longer than this. */
const REQUEST_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const pages = pagesOf(options);
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      void answer(pages, request, response);
    },
  );
  server.listen({ host: options.host, port: options.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(options, error);
  }
  const { port } = server.address() as AddressInfo;
  return { address: { host: options.host, port }, close: () => close(server) };
}

function pagesOf({ metrics, isReady, describe }: HttpServerOptions): Pages {
  const pages: Pages = new Map<string, () => Page | Promise<Page>>([
    ['/', () => json({ pages: [...pages.keys()], run: describe() })],
    [
      '/metrics',
      async () => ({
        status: 200,
        type: metrics.registry.contentType,
        body: await metrics.registry.metrics(),
      }),
    ],
    ['/healthz', () => text(200, 'ok')],
    ['/readyz', () => (isReady() ? text(200, 'ready') : text(503, 'not ready'))],
  ]);
  return pages;
}

async function answer(pages: Pages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const page = pages.get((request.url ?? '').replace(/\?.*$/s, ''));
  if (page === undefined) {
    send(response, text(404, `not found: there are ${[...pages.keys()].join(' ')}`));
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, text(405, 'only GET and HEAD'));
  } else {
    try {
      send(response, await page());
    } catch (error) {
      send(response, text(500, messageOf(error)));
    }
  }
}

/** To HEAD, Node sends the headers alone. */
function send(response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function text(status: number, line: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${line}\n` };
}

function json(value: object): Page {
  return {
    status: 200,
    type: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value, undefined, 2)}\n`,
  };
}

/** Ends connections that only wait for another request at once, and the others when their time is up. */
async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, CLOSE_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}

function cannotListen({ host, port }: HttpAddress, error: unknown): UserError {
  const causes: Readonly<Partial<Record<string, string>>> = {
    EADDRINUSE: `port ${port} on ${host} is taken`,
    EACCES: `port ${port} on ${host} needs privileges`,
    ENOTFOUND: `${host} is not known`,
    EAI_AGAIN: `${host} is not known`,
    EADDRNOTAVAIL: `${host} is not an address of this machine`,
  };
  const cause =
    causes[codeOf(error) ?? ''] ??
    `cannot serve HTTP at ${formatHttpAddress({ host, port })} (${messageOf(error)})`;
  return new UserError(`${cause}: give another with --http HOST:PORT, or --no-http`, { cause: error });
}
