import type { ServerResponse } from 'node:http';
import type { StreamMessages } from '../page/api.js';
import type { Compute } from '../http/answer-turns.js';
import { oneAtATime } from '../../common/one-at-a-time.js';
import { formatCursors, parseCursors, type Cursor } from './cursor.js';
import type { ShownRun } from './run-view.js';

/** Polling interval while a client listens, in milliseconds. */
const INTERVAL = 500;

/** Interval of keep-alive comments in milliseconds: proxies keep the stream open, and lost clients are detected. */
const HEARTBEAT = 15_000;
/** Milliseconds after which a client that reads nothing is disconnected. */
const PATIENCE = 30_000;

/** Most that listen at once. */
export const MOST_LISTENERS = 16;

/** Subscription of a client, and its position. */
interface Listener {
  readonly response: ServerResponse;
  readonly compute: Compute;
  readonly cursors: Cursor[];
  readonly snapshots: string[];
  /** The run that it hears of next. */
  next: number;
  lastWrite: number;
}

/**
 * Server-sent events about some runs. There is no queue: each listener has a place in what the runs keep, and gets what
 * came after it as soon as it has taken what went before.
 */
export class EventStream {
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly runs: readonly ShownRun[],
    private readonly interval = INTERVAL,
  ) {}

  get isFull(): boolean {
    return this.#listeners.size >= MOST_LISTENERS;
  }

  /** Answers with what comes after `lastId`, the id of the last message that this listener got. */
  listen(response: ServerResponse, lastId: string | undefined, compute: Compute): void {
    const cursors = parseCursors(lastId, this.runs.length).map((cursor, run) => ({
      ...cursor,
      edition: this.runs[run].files?.edition ?? 0,
    }));
    const listener: Listener = {
      ...{ response, compute, cursors, snapshots: [], next: 0 },
      lastWrite: performance.now(),
    };
    response.socket?.setTimeout(2 * PATIENCE);
    this.#listeners.add(listener);
    response.on('close', () => {
      this.#listeners.delete(listener);
    });
    response.write('retry: 1000\n\n');
    void this.#tick();
  }

  /** Sends the last events to all clients. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#listeners.size > 0) await this.#refresh();
    for (const listener of this.#listeners) {
      this.#tellAll(listener);
      send(listener, 'end', {});
      listener.response.end();
    }
  }

  readonly #tick = oneAtATime(async (): Promise<void> => {
    clearTimeout(this.#timer);
    await this.#refresh();
    for (const listener of this.#listeners) {
      if (this.#isClosed) return;
      await this.#serve(listener);
    }
    clearTimeout(this.#timer);
    if (this.#listeners.size > 0 && !this.#isClosed)
      this.#timer = setTimeout(() => void this.#tick(), this.interval);
  });

  async #serve(listener: Listener): Promise<void> {
    const { response, compute } = listener;
    if (response.writableNeedDrain) {
      if (performance.now() - listener.lastWrite > PATIENCE) response.destroy();
      return;
    }
    // Rejects if the client has left.
    await compute(() => {
      this.#tellAll(listener);
      if (performance.now() - listener.lastWrite <= HEARTBEAT) return;
      response.write(': nothing new\n\n');
      listener.lastWrite = performance.now();
    }).catch(() => undefined);
  }

  async #refresh(): Promise<void> {
    for (const run of this.runs) await run.refresh();
  }

  /** Continues with the next runs when the client has read what was written. */
  #tellAll(listener: Listener): void {
    const { response } = listener;
    for (let told = 0; told < this.runs.length; told++) {
      if (response.writableNeedDrain) {
        response.once('drain', () => void this.#tick());
        return;
      }
      this.#tell(listener, listener.next);
      listener.next = (listener.next + 1) % this.runs.length;
    }
  }

  #tell(listener: Listener, run: number): void {
    const { files } = this.runs[run];
    const cursor = listener.cursors[run];
    if (files) {
      const last = files.last?.step ?? 0;
      const isMissing = (files.recent.at(0)?.step ?? 1) > cursor.step + 1;
      if (files.edition !== cursor.edition || cursor.step > last || isMissing) {
        Object.assign(cursor, { step: last, edition: files.edition });
        send(listener, 'reset', { run });
      } else if (cursor.step < last) {
        const steps = files.recent.filter(({ step }) => step > cursor.step);
        cursor.step = last;
        send(listener, 'steps', { run, steps: steps as unknown as StreamMessages['steps']['steps'] });
      }
      const samples = files.samples.filter((step) => step > cursor.sample);
      if (samples.length > 0) {
        cursor.sample = samples[samples.length - 1];
        send(listener, 'samples', { run, steps: samples });
      }
      const events = files.events.filter(({ id }) => id > cursor.event);
      if (events.length > 0) {
        cursor.event = events[events.length - 1].id;
        send(listener, 'events', { run, events });
      }
    }
    const snapshot = this.runs[run].snapshot();
    const text = JSON.stringify(snapshot);
    if (text === listener.snapshots[run]) return;
    listener.snapshots[run] = text;
    send(listener, 'run', { run, snapshot });
  }
}

function send<Kind extends keyof StreamMessages>(
  listener: Listener,
  kind: Kind,
  data: StreamMessages[Kind],
): void {
  const id = formatCursors(listener.cursors);
  listener.response.write(`event: ${kind}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
  listener.lastWrite = performance.now();
}
