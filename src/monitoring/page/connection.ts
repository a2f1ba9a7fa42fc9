import type { StreamMessages } from './api.js';
import { createParser } from './eventsource-parser.js';
import { askForToken, authorization } from './token.js';

/** Between two tries to connect, in milliseconds. */
const PAUSE = 1_000;
const LONGEST_PAUSE = 10_000;

/** Silence after which a stream is dead: the coordinator says something every 15 s. In milliseconds. */
const SILENCE = 40_000;

/** An answer that is not the one that was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    line: string,
  ) {
    super(line);
  }
}

interface AskOptions extends RequestInit {
  readonly headers?: Record<string, string>;
}

/** Asks for a path, and for the token where the coordinator does. */
export async function ask(path: string, options: AskOptions = {}): Promise<Response> {
  for (;;) {
    const response = await fetch(path, { ...options, headers: { ...authorization(), ...options.headers } });
    if (response.ok) return response;
    if (response.status !== 401) throw new Refused(response.status, (await response.text()).trim());
    await askForToken();
  }
}

export async function askJson<Body>(path: string): Promise<Body> {
  return (await (await ask(path)).json()) as Body;
}

export type Message = {
  [Kind in keyof StreamMessages]: { readonly kind: Kind; readonly data: StreamMessages[Kind] };
}[keyof StreamMessages];

export interface StreamParts {
  /** Id after which to resume. */
  readonly from: string;
  readonly take: (message: Message) => void;
  /** Connected, or trying to be. */
  readonly onState: (isConnected: boolean) => void;
}

/**
 * Reads server-sent events without end. EventSource cannot send a token, so this uses fetch. It reconnects and
 * resumes after the last message.
 */
export async function listen({ from, take, onState }: StreamParts): Promise<never> {
  let lastId = from;
  let pause = PAUSE;
  for (;;) {
    const abort = new AbortController();
    let timer = 0;
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        abort.abort();
      }, SILENCE);
    };
    try {
      heard();
      const response = await ask('/api/events', {
        headers: { 'Last-Event-ID': lastId },
        signal: abort.signal,
      });
      onState(true);
      pause = PAUSE;
      const parser = createParser({
        onEvent: ({ event, data, id }) => {
          if (id !== undefined) lastId = id;
          if (event !== undefined) take({ kind: event, data: JSON.parse(data) as unknown } as Message);
        },
      });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const decoder = new TextDecoder();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        heard();
        parser.feed(decoder.decode(part.value, { stream: true }));
      }
    } catch {
      // Whatever it was, it is tried again.
    }
    clearTimeout(timer);
    onState(false);
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}
