import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf, messageOf, UserError } from '../../common/errors.js';
import type { Secret } from '../../common/secret.js';
import { formatHttpAddress, type HttpAddress } from './http-address.js';
import { limitConnections } from './http-connections.js';
import { HttpGuard } from './http-guard.js';
import { json, SAFE_HEADERS, text, type Page } from './http-page.js';
import type { RunMetrics } from './run-metrics.js';

export interface HttpServerOptions extends HttpAddress {
  readonly metrics: RunMetrics;
  /** Whether training goes on: all workers that it needs are there. */
  readonly isReady: () => boolean;
  /** The run's state, for people: a JSON object. */
  readonly describe: () => object;
  /** Asked for everywhere but at /healthz and /readyz. Undefined: whoever reaches the address may read. */
  readonly token?: Secret | undefined;
  /** How long a request may take to come, and a connection to do nothing, in milliseconds. */
  readonly requestTimeout?: number;
}

export interface HttpServer {
  /** With the port that was taken, where 0 was asked for. */
  readonly address: HttpAddress;
  /** Lets answers that are under way end, for a second at most. */
  close(): Promise<void>;
}

type Pages = ReadonlyMap<string, () => Page | Promise<Page>>;

/** A scraper sends little and at once; who does not is held no longer than this. */
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** How often it is looked whose time is up. */
const CHECK_INTERVAL_MS = 1_000;
const CLOSE_TIMEOUT_MS = 1_000;

const MAX_CONNECTIONS = 64;
const MAX_REQUESTS_PER_CONNECTION = 100;
const MAX_HEADER_BYTES = 8 * 1024;

/** Serves what the run tells of itself, to read only. Rejects with a UserError where it cannot listen. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { requestTimeout = REQUEST_TIMEOUT_MS } = options;
  const pages = pagesOf(options);
  const guard = new HttpGuard(options.host, options.token);
  const limits = {
    requestTimeout,
    headersTimeout: requestTimeout,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(requestTimeout, CHECK_INTERVAL_MS),
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server = createServer(limits, (request, response) => {
    void answer(pages, guard, request, response);
  });
  server.setTimeout(requestTimeout); // Also who does not take an answer is doing nothing.
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  limitConnections(server, MAX_CONNECTIONS);
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

async function answer(
  pages: Pages,
  guard: HttpGuard,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').replace(/\?.*$/s, '');
  try {
    send(response, guard.refusal(request, path) ?? (await pages.get(path)?.()) ?? notFound(pages));
  } catch (error) {
    send(response, text(500, messageOf(error)));
  }
}

function notFound(pages: Pages): Page {
  return text(404, `not found: there are ${[...pages.keys()].join(' ')}`);
}

/** To HEAD, Node sends the headers alone. */
function send(response: ServerResponse, { status, type, body, headers }: Page): void {
  response.writeHead(status, {
    ...SAFE_HEADERS,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
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
