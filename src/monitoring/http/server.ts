import { fileLimit } from '#open-files';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { codeOf, messageOf, UserError } from '../../common/errors.js';
import type { Secret } from '../../common/secret.js';
import { fileReserve } from '../../common/process/open-files.js';
import { AnswerTurns, type Compute } from './answer-turns.js';
import { formatHttpAddress, type HttpAddress } from '../../common/http-address.js';
import { limitConnections, oneRequestAtATime, UnreadAnswers, type HoldConnection } from './connections.js';
import { HttpGuard, type GuardedPaths } from './guard.js';
import { SAFE_HEADERS, text, type FileBody, type Page } from './response.js';
import type { RunMetrics } from '../metrics/run-metrics.js';

/** Further resources: the page and its API. */
export interface Site extends GuardedPaths {
  /** Response for an unknown path. */
  readonly paths: readonly string[];
  /** Undefined: there is no such thing. */
  answer(request: SiteRequest): Promise<Page | undefined>;
  /** Ends the streams. */
  close(): Promise<void>;
}

export interface SiteRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly method: string;
  /** Last event id of an interrupted stream. */
  readonly lastEventId: string | undefined;
  /** Everything that takes more than a moment is computed through this. */
  readonly compute: Compute;
}

export interface HttpServerOptions extends HttpAddress {
  /** Metrics of a run that trains in this process. */
  readonly metrics?: RunMetrics;
  /** True while training runs: all required workers are connected. */
  readonly isReady?: () => boolean;
  readonly site?: Site;
  /**
   * Token required everywhere except for health checks. Undefined: every client that reaches the address may read.
   */
  readonly token?: Secret | undefined;
  /** Timeouts of a request's arrival and of an idle connection, in milliseconds. */
  readonly requestTimeout?: number;
}

export interface HttpServer {
  /** With the port that was taken, where 0 was asked for. */
  readonly address: HttpAddress;
  /** Lets answers that are under way end, for a second at most. */
  close(): Promise<void>;
}

type Pages = ReadonlyMap<string, (compute: Compute) => Page | Promise<Page>>;

/** Timeout of the headers in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** Interval between checks for expired requests, in milliseconds. */
const CHECK_INTERVAL_MS = 1_000;
const CLOSE_TIMEOUT_MS = 1_000;

const MAX_CONNECTIONS = 64;
const MAX_REQUESTS_PER_CONNECTION = 100;
const MAX_HEADER_BYTES = 8 * 1024;
/** Bytes of responses that wait in memory. */
const MAX_UNREAD_BYTES = 16 * 1024 ** 2;

/** Serves what the run tells of itself, to read only. Rejects with a UserError if it cannot listen. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { requestTimeout = REQUEST_TIMEOUT_MS } = options;
  const pages = pagesOf(options);
  const guard = new HttpGuard(options.host, options.token, options.site);
  const limits = {
    requestTimeout,
    headersTimeout: requestTimeout,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(requestTimeout, CHECK_INTERVAL_MS),
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server = createServer(limits);
  server.setTimeout(requestTimeout); // Also who does not take an answer is doing nothing.
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  // Half of what connections of workers leave free; the other half is for files.
  const hold = limitConnections(
    server,
    Math.max(1, Math.min(MAX_CONNECTIONS, Math.floor(fileReserve(fileLimit()) / 2))),
  );
  const parts = { pages, site: options.site, guard, hold };
  const shared = { turns: new AnswerTurns(), unread: new UnreadAnswers(MAX_UNREAD_BYTES) };
  server.on(
    'request',
    oneRequestAtATime((request, response) => answer({ ...parts, ...shared }, request, response)),
  );
  server.listen({ host: options.host, port: options.port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(options, error);
  }
  const { port } = server.address() as AddressInfo;
  return { address: { host: options.host, port }, close: () => close(server, options.site) };
}

function pagesOf({ metrics, isReady }: HttpServerOptions): Pages {
  const pages = new Map<string, (compute: Compute) => Page | Promise<Page>>([
    ['/healthz', () => text(200, 'ok')],
  ]);
  if (metrics) {
    const { registry } = metrics;
    pages.set('/metrics', async (compute) => ({
      status: 200,
      type: registry.contentType,
      body: await compute(() => registry.metrics()),
    }));
  }
  if (isReady) pages.set('/readyz', () => (isReady() ? text(200, 'ready') : text(503, 'not ready')));
  return pages;
}

interface Answering {
  readonly pages: Pages;
  readonly site: Site | undefined;
  readonly guard: HttpGuard;
  readonly hold: HoldConnection;
  readonly turns: AnswerTurns;
  readonly unread: UnreadAnswers;
}

async function answer(
  { pages, site, guard, hold, turns, unread }: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path, query] = splitUrl(request.url ?? '');
  const { method = 'GET', headers } = request;
  const lastEventId = headers['last-event-id'];
  const compute: Compute = (work) => turns.take(path, () => response.destroyed, work);
  try {
    const page =
      guard.refusal(request, path) ??
      (await pages.get(path)?.(compute)) ??
      (await site?.answer({
        ...{ path, query: new URLSearchParams(query), method, compute },
        lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
      })) ??
      notFound([...pages.keys(), ...(site?.paths ?? [])]);
    if (page.stream && method === 'GET' && !response.destroyed) {
      hold(request.socket);
      response.writeHead(page.status, headersOf(page));
      page.stream(response);
    } else await send(response, page, unread);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else await send(response, text(500, messageOf(error)), unread);
  }
}

function splitUrl(url: string): [path: string, query: string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

function notFound(paths: readonly string[]): Page {
  return text(404, `not found: there are ${paths.join(' ')}`);
}

/** To HEAD, Node sends the headers alone. */
async function send(response: ServerResponse, page: Page, unread: UnreadAnswers): Promise<void> {
  const { body } = page;
  if (typeof body !== 'string' && 'content' in body) {
    await sendFile(response, page, body);
    return;
  }
  if (response.destroyed) return;
  const bytes = Buffer.from(body);
  unread.add(response, bytes.length);
  response.writeHead(page.status, { ...headersOf(page), 'Content-Length': bytes.length });
  response.end(bytes);
}

async function sendFile(response: ServerResponse, page: Page, { length, content }: FileBody): Promise<void> {
  response.writeHead(page.status, { ...headersOf(page), 'Content-Length': length });
  // Also closes the file if the client leaves.
  await pipeline(content, response).catch(() => response.destroy());
}

function headersOf({ type, headers }: Page): Record<string, string> {
  return { ...SAFE_HEADERS, 'Content-Type': type, ...headers };
}

/** Ends connections that only wait for another request at once, and the others when their time is up. */
async function close(server: Server, site: Site | undefined): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  await site?.close();
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
