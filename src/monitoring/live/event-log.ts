import { appendFile, readFile } from 'node:fs/promises';
import { printable } from '#printable';
import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { messageOf } from '../../common/errors.js';
import { say, type LogFields } from '../../common/log.js';
import { writeFailure } from '../../common/files/write-failure.js';
import { EVENT_KINDS, type EventKind, type RunEvent } from '../page/api.js';
import { thinned } from './thin-events.js';

/** Lines of events.jsonl at most: about 1 MiB. */
const MOST_EVENTS = 5_000;

/** Backoff in which rejections of a kind are counted but not reported, in milliseconds: initial and maximum. */
const FIRST_SILENCE = 10_000;
const LONGEST_SILENCE = 3_600_000;

interface Rejections {
  count: number;
  silence: number;
  timer: NodeJS.Timeout | undefined;
}

type NewEvent = Omit<RunEvent, 'id'>;

/**
 * events.jsonl while a run writes it. What happens before the run has a directory waits for it. It does not grow for ever:
 * where there would be more than `most`, a quarter goes at once, as `thinned` chooses.
 */
export class RunEvents {
  #path: string | undefined;
  #waiting: NewEvent[] = [];
  /** In the file. */
  #count = 0;
  #lastId = 0;
  #written = Promise.resolve();
  #hasFailed = false;
  readonly #rejections = new Map<string, Rejections>();

  constructor(
    private readonly step: () => number,
    private readonly most = MOST_EVENTS,
  ) {}

  /** From now on events go to this file, after those that an earlier coordinator wrote. */
  open(path: string): void {
    this.#path = path;
    this.#queue(async () => {
      const text = await readFile(path, 'utf8').catch(() => '');
      // A crash may have torn the last line: the next one begins on a line of its own.
      if (text !== '' && !text.endsWith('\n')) await appendFile(path, '\n');
      const events = parseEvents(text);
      this.#count = events.length;
      this.#lastId = events.at(-1)?.id ?? 0;
    });
    for (const event of this.#waiting.splice(0)) this.#append(path, event);
  }

  add(kind: EventKind, message: string): void {
    const event = { time: new Date().toISOString(), kind, step: this.step(), message };
    if (this.#path !== undefined) this.#append(this.#path, event);
    else if (this.#waiting.push(event) > this.most) this.#waiting = thinned(this.#waiting, this.#kept);
  }

  /** Takes what is said of a run, if its fields name an event. */
  readonly hear = (message: string, fields: LogFields = {}): void => {
    const kind = EVENT_KINDS.find((each) => each === fields['event']);
    if (kind) this.add(kind, message);
  };

  /**
   * Reports a rejection at once, and later ones with their count and backoff, so that millions of them cannot fill
   * the disk.
   */
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

  get #kept(): number {
    return Math.floor(this.most * 0.75);
  }

  #append(path: string, event: NewEvent): void {
    this.#queue(async () => {
      await appendFile(path, lineOf({ id: ++this.#lastId, ...event }));
      if (++this.#count > this.most) await this.#thin(path);
    });
  }

  /** Replaces the file atomically for concurrent readers. */
  async #thin(path: string): Promise<void> {
    const events = thinned(parseEvents(await readFile(path, 'utf8')), this.#kept);
    await writeFileAtomically(path, events.map(lineOf).join(''));
    this.#count = events.length;
  }

  /** One after the other. What cannot be written is said once, and ends no run. */
  #queue(write: () => Promise<void>): void {
    this.#written = this.#written.then(write).catch((error: unknown) => {
      if (!this.#hasFailed)
        say(messageOf(writeFailure(this.#path ?? 'events.jsonl', error)), { level: 'warn' });
      this.#hasFailed = true;
    });
  }
}

function lineOf(event: RunEvent): string {
  return `${printable(JSON.stringify(event))}\n`;
}

/** All that are whole. */
function parseEvents(text: string): RunEvent[] {
  return text.split('\n').flatMap((line, index) => parseEventLine(line, index + 1) ?? []);
}

/**
 * Undefined if it is not an event's line, such as one that a crash has torn. `number`: the line's, which is the id where
 * the line has none.
 */
export function parseEventLine(line: string, number: number): RunEvent | undefined {
  try {
    const { id = number, time, kind, step, message } = JSON.parse(line) as Partial<Record<string, unknown>>;
    const known = EVENT_KINDS.find((each) => each === kind);
    if (!known || typeof time !== 'string' || typeof message !== 'string') return undefined;
    if (typeof step !== 'number' || typeof id !== 'number') return undefined;
    return { id, time, kind: known, step, message: printable(message) };
  } catch {
    return undefined;
  }
}
