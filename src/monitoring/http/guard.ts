import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../../common/loopback.js';
import type { Secret } from '../../common/secret.js';
import { text, type Page } from './response.js';

/** Health checks, which reveal nothing of the run. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

const MAX_URL_LENGTH = 1024;

export interface GuardedPaths {
  /** Open to all besides: they hold nothing of the run. */
  readonly open: ReadonlySet<string>;
  /** Paths of actions, which require POST and a token. */
  readonly control: ReadonlySet<string>;
}

/** Decides whether a request is allowed. */
export class HttpGuard {
  constructor(
    /** Address of the server. */
    private readonly host: string,
    private readonly token: Secret | undefined,
    private readonly paths: GuardedPaths = { open: new Set(), control: new Set() },
  ) {}

  /** Returns the refusal of a request; undefined if it is allowed. */
  refusal({ url = '', method, headers }: IncomingMessage, path: string): Page | undefined {
    if (url.length > MAX_URL_LENGTH) return text(414, `a URL has at most ${MAX_URL_LENGTH} characters here`);
    // A web page whose name was made to lead to this machine reads what this machine's user can: its name betrays it.
    if (isLoopback(this.host) && !isLoopback(hostIn(headers.host)))
      return text(403, 'this server answers to the names of its own machine only');
    const isOpen = OPEN_PATHS.has(path) || this.paths.open.has(path);
    if (this.token && !isOpen && !this.token.matches(bearerIn(headers.authorization)))
      return text(401, 'this page needs the token that --http-token gave', {
        'WWW-Authenticate': 'Bearer realm="dcgan-trainer"',
      });
    if (method === 'POST' && this.paths.control.has(path)) return this.#refusalToAct(headers);
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD', { Allow: 'GET, HEAD' });
    return undefined;
  }

  /** CSRF-safe: browsers do not attach custom headers to cross-site requests. */
  #refusalToAct(headers: IncomingMessage['headers']): Page | undefined {
    if (!this.token) return text(403, 'only who has a token may do that: give the run one with --http-token');
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
      return text(413, 'nothing is to be sent with it');
    return undefined;
  }
}

/** Without port and brackets. */
function hostIn(header = ''): string {
  const groups = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:]+))(?::\d+)?$/.exec(header)?.groups;
  return groups?.['v6'] ?? groups?.['name'] ?? '';
}

function bearerIn(header = ''): string {
  return /^Bearer +(?<token>\S+)$/i.exec(header)?.groups?.['token'] ?? '';
}
