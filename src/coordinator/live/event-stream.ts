import type { ServerResponse } from 'node:http';
import type { StreamMessages } from '../../page/api.js';
import { formatCursors, parseCursors, type Cursor } from './cursor.js';
import type { ShownRun } from './shown-run.js';

/** How often it is looked for news while somebody listens, in milliseconds. */
const INTERVAL = 500;

/** A stream without news says so, in milliseconds: whoever is between keeps it open, and who is gone is noticed. */
const HEARTBEAT = 15_000;
/** Who takes nothing for so long is hung up on. */
const PATIENCE = 30_000;

/** Most that listen at once. */
export const MOST_LISTENERS = 16;

/** What somebody listens to, and how far that went. */
interface Listener {
  readonly response: ServerResponse;
  readonly cursors: Cursor[];
  readonly snapshots: string[];
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
  listen(response: ServerResponse, lastId: string | undefined): void {
    const cursors = parseCursors(lastId, this.runs.length).map((cursor, run) => ({
      ...cursor,
      edition: this.runs[run].files?.edition ?? 0,
    }));
    const listener: Listener = { response, cursors, snapshots: [], lastWrite: performance.now() };
    response.socket?.setTimeout(2 * PATIENCE);
    this.#listeners.add(listener);
    response.on('close', () => {
      this.#listeners.delete(listener);
    });
    response.write('retry: 1000\n\n');
    void this.#tick();
  }

  /** Tells everybody the last news. */
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

  async #tick(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#refresh();
    if (this.#isClosed) return;
    const now = performance.now();
    for (const listener of this.#listeners) {
      const { response } = listener;
      if (response.writableNeedDrain) {
        if (now - listener.lastWrite > PATIENCE) response.destroy();
        continue;
      }
      this.#tellAll(listener);
      if (now - listener.lastWrite > HEARTBEAT) {
        response.write(': nothing new\n\n');
        listener.lastWrite = now;
      }
    }
    clearTimeout(this.#timer);
    if (this.#listeners.size > 0) this.#timer = setTimeout(() => void this.#tick(), this.interval);
  }

  async #refresh(): Promise<void> {
    for (const run of this.runs) await run.refresh();
  }

  #tellAll(listener: Listener): void {
    for (const number of this.runs.keys()) this.#tell(listener, number);
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
