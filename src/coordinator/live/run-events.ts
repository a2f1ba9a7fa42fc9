import { appendFile, readFile } from 'node:fs/promises';
import { messageOf } from '../../common/errors.js';
import { say, type LogFields } from '../../common/log.js';
import { EVENT_KINDS, type EventKind, type RunEvent } from '../../page/api.js';

/** How long the same kind of rejection is only counted after it was told, in milliseconds: at first, and at most. */
const FIRST_SILENCE = 10_000;
const LONGEST_SILENCE = 3_600_000;

interface Rejections {
  count: number;
  silence: number;
  timer: NodeJS.Timeout | undefined;
}

/** events.jsonl while a run writes it. What happens before the run has a directory waits for it. */
export class RunEvents {
  #path: string | undefined;
  #waiting: string[] = [];
  #written = Promise.resolve();
  #hasFailed = false;
  readonly #rejections = new Map<string, Rejections>();

  constructor(private readonly step: () => number) {}

  /** From now on events go to this file, after those that an earlier coordinator wrote. */
  open(path: string): void {
    this.#path = path;
    this.#queue(async () => {
      // A crash may have torn the last line: the next one begins on a line of its own.
      const text = await readFile(path, 'utf8').catch(() => '');
      if (text !== '' && !text.endsWith('\n')) await appendFile(path, '\n');
    });
    for (const line of this.#waiting.splice(0)) this.#append(path, line);
  }

  add(kind: EventKind, message: string): void {
    const line = `${JSON.stringify({ time: new Date().toISOString(), kind, step: this.step(), message })}\n`;
    if (this.#path === undefined) this.#waiting.push(line);
    else this.#append(this.#path, line);
  }

  /** Takes what is said of a run, where its fields name an event. */
  readonly hear = (message: string, fields: LogFields = {}): void => {
    const kind = EVENT_KINDS.find((each) => each === fields['event']);
    if (kind) this.add(kind, message);
  };

  /** Told at once, then in ever longer intervals with their number: whoever sends millions fills no disk. */
  rejected(reason: string): void {
    let rejections = this.#rejections.get(reason);
    if (!rejections)
      this.#rejections.set(reason, (rejections = { count: 0, silence: FIRST_SILENCE, timer: undefined }));
    rejections.count++;
    if (!rejections.timer) this.#tell(reason, rejections);
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    for (const [reason, { count, timer }] of this.#rejections) {
      clearTimeout(timer);
      if (count > 0) this.#addRejected(reason, count);
    }
    await this.#written;
  }

  #tell(reason: string, rejections: Rejections): void {
    this.#addRejected(reason, rejections.count);
    rejections.count = 0;
    rejections.timer = setTimeout(() => {
      rejections.timer = undefined;
      rejections.silence = Math.min(2 * rejections.silence, LONGEST_SILENCE);
      if (rejections.count > 0) this.#tell(reason, rejections);
    }, rejections.silence);
    rejections.timer.unref();
  }

  #addRejected(reason: string, count: number): void {
    this.add(
      'rejected',
      `${count} message${count === 1 ? '' : 's'} rejected: ${reason.replaceAll('_', ' ')}`,
    );
  }

  #append(path: string, line: string): void {
    this.#queue(() => appendFile(path, line));
  }

  /** One after the other. What cannot be written is said once, and ends no run. */
  #queue(write: () => Promise<void>): void {
    this.#written = this.#written.then(write).catch((error: unknown) => {
      if (!this.#hasFailed)
        say(`cannot write ${this.#path ?? 'events'}: ${messageOf(error)}`, { level: 'warn' });
      this.#hasFailed = true;
    });
  }
}

/** Undefined for what is not an event's line, such as one that a crash has torn. */
export function parseEventLine(line: string, id: number): RunEvent | undefined {
  try {
    const { time, kind, step, message } = JSON.parse(line) as Partial<Record<string, unknown>>;
    const known = EVENT_KINDS.find((each) => each === kind);
    if (!known || typeof time !== 'string' || typeof message !== 'string' || typeof step !== 'number')
      return undefined;
    return { id, time, kind: known, step, message };
  } catch {
    return undefined;
  }
}
