import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { printable } from '#printable';

/** Response to a request. */
export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array | FileBody;
  /** Those of this answer alone. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Streams the answer instead of a body. */
  readonly stream?: (response: ServerResponse) => void;
}

/** A file that is read as fast as the client takes it. */
export interface FileBody {
  /** Bytes. */
  readonly length: number;
  readonly content: Readable;
}

/** Headers that prevent scripts, sniffing, caching and framing. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function text(status: number, line: string, headers: Page['headers'] = {}): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${printable(line)}\n`, headers };
}

export function json(value: object): Page {
  return jsonPage(JSON.stringify(value, undefined, 2));
}

/** For programs. */
export function compactJson(value: object): Page {
  return jsonPage(JSON.stringify(value));
}

function jsonPage(body: string): Page {
  return { status: 200, type: 'application/json; charset=utf-8', body: `${body}\n` };
}
