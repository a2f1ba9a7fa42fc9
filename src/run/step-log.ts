import { open, type FileHandle } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { WriteFailure, writeFailure, writing } from '../common/files/write-failure.js';
import type { StepRecord } from './step-record.js';
import { formatStepLine, parseStepLine } from './step-line.js';
import { readTextLines } from './text-lines.js';

/** Told in one line what was left out of a log, such as its torn end. */
export type Report = (line: string) => void;

/** stats.jsonl while a run writes it: one line a step, one write a line, so that a crash tears at most the last. */
export class StepLog {
  readonly #path: string;
  readonly #file: FileHandle;
  #size: number;
  #lastStep: number;

  private constructor(path: string, file: FileHandle, size: number, lastStep: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#lastStep = lastStep;
  }

  /** Starts a log; an existing one is never written over. */
  static async create(path: string): Promise<StepLog> {
    return new StepLog(path, await writing(path, () => open(path, 'ax')), 0, 0);
  }

  /** Continues after `step`: what was logged later is cut off, because it is about to be done again. */
  static async resume(path: string, step: number, report: Report): Promise<StepLog> {
    const { end, last } = await findEnd(path, step, report);
    if ((last?.step ?? 0) < step)
      report(`${path} ends at step ${last?.step ?? 0}: the steps up to ${step} are not in it`);
    const log = new StepLog(path, await writing(path, () => open(path, 'a')), 0, 0);
    await log.#cut(end, last?.step ?? 0);
    return log;
  }

  /** The step of the last line; 0 if there is none. */
  get lastStep(): number {
    return this.#lastStep;
  }

  /** One call at a time. Where the line does not fit on the disk, none of it stays. */
  async append(record: StepRecord): Promise<void> {
    if (record.step <= this.#lastStep) {
      throw new RangeError(`step ${record.step} cannot be logged after step ${this.#lastStep}`);
    }
    const line = Buffer.from(formatStepLine(record));
    try {
      const { bytesWritten } = await this.#file.write(line);
      if (bytesWritten < line.length) throw new WriteFailure(this.#path, 'ENOSPC', undefined);
    } catch (error) {
      // What stays of the line is torn, and the next start cuts it.
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw writeFailure(this.#path, error);
    }
    this.#size += line.length;
    this.#lastStep = record.step;
  }

  /** Cuts off every step after this one, which is about to be done again. Returns the record that is the last now. */
  async rewind(step: number): Promise<StepRecord | undefined> {
    const { end, last } = await findEnd(this.#path, step, () => undefined);
    await this.#cut(end, last?.step ?? 0);
    return last;
  }

  /** Makes what was appended last through a power cut; a checkpoint calls it so that no log ends before one. */
  async sync(): Promise<void> {
    await writing(this.#path, () => this.#file.sync());
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** One truncation at the end of a line: a crash leaves the old log or the cut one. */
  async #cut(size: number, lastStep: number): Promise<void> {
    await writing(this.#path, async () => {
      await this.#file.truncate(size);
      await this.#file.sync();
    });
    this.#size = size;
    this.#lastStep = lastStep;
  }
}

/** The last record of a log up to this step. */
export async function lastRecord(path: string, step: number): Promise<StepRecord | undefined> {
  return (await findEnd(path, step, () => undefined)).last;
}

/** The last step whose evaluation is in a log, up to a line; 0 if there is none. */
export async function lastEvaluated(path: string, step: number): Promise<number> {
  let last = 0;
  if (step === 0) return last;
  for await (const { record } of readLog(path, () => undefined)) {
    if (record.step > step) break;
    last = record.evaluation?.step ?? last;
  }
  return last;
}

/** The last record up to this step, and where its line ends. */
async function findEnd(
  path: string,
  step: number,
  report: Report,
): Promise<{ end: number; last: StepRecord | undefined }> {
  let found: { end: number; last: StepRecord | undefined } = { end: 0, last: undefined };
  // From the beginning there may be no log yet.
  if (step === 0) return found;
  for await (const { record, end } of readLog(path, report)) {
    if (record.step > step) break;
    found = { end, last: record };
  }
  return found;
}

/** Every step of a log, in order. A torn last line is reported and left out. */
export async function* readSteps(path: string, report: Report): AsyncGenerator<StepRecord> {
  for await (const { record } of readLog(path, report)) yield record;
}

async function* readLog(path: string, report: Report): AsyncGenerator<{ record: StepRecord; end: number }> {
  let number = 0;
  let lastStep = 0;
  try {
    for await (const { text, end, whole } of readTextLines(path)) {
      number++;
      if (!whole) {
        report(`${path} ends in a torn line (line ${number}), which is left out`);
        return;
      }
      const record = parseLine(path, number, text);
      if (record.step <= lastStep) {
        throw new UserError(`${path}, line ${number}: step ${record.step} comes after step ${lastStep}`);
      }
      lastStep = record.step;
      yield { record, end };
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new UserError(`${path} does not exist: the run has logged no step`);
    throw error;
  }
}

function parseLine(path: string, number: number, text: string): StepRecord {
  try {
    return parseStepLine(text);
  } catch (error) {
    throw new UserError(`${path}, line ${number} is not a step's record: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
