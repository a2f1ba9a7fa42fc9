import { stat } from 'node:fs/promises';
import { messageOf } from '../../common/errors.js';
import type { EvaluationView, RunEvent, StepColumns } from '../page/api.js';
import { readEvaluation } from '../../evaluation/evaluation-file.js';
import { oneAtATime } from '../../common/one-at-a-time.js';
import type { RunFolder } from '../../run/run-directory.js';
import { parseStepLine } from '../../run/step-line.js';
import type { StepRecord } from '../../run/step-record.js';
import { LineTail } from './line-tail.js';
import { parseEventLine } from './event-log.js';
import { StepBuckets } from './step-buckets.js';

/** Recent steps that are kept individually, for clients that reconnect soon. Older ones are in buckets. */
const RECENT_STEPS = 1_000;
const RECENT_EVENTS = 1_000;
const RECENT_EVALUATIONS = 200;

/** Content of a run's files, read incrementally and in bounded memory. */
export class RunFiles {
  readonly #stats: LineTail;
  readonly #eventLines: LineTail;
  readonly #buckets = new StepBuckets();
  #recent: StepRecord[] = [];
  #events: RunEvent[] = [];
  /** Lines read, and the highest id among them. */
  #eventLine = 0;
  #lastEvent = 0;
  #samples: readonly number[] = [];
  #samplesChanged = 0;
  #evaluations: readonly EvaluationView[] = [];
  #evaluationsChanged = 0;
  #evaluationsRead = 0;
  /** Another one whenever steps were taken back. */
  #edition = 0;
  /** Why stats.jsonl is not read any further. */
  fault: string | null = null;

  constructor(readonly folder: RunFolder) {
    this.#stats = new LineTail(folder.statsFile);
    this.#eventLines = new LineTail(folder.eventsFile);
  }

  get edition(): number {
    return this.#edition;
  }
  get last(): StepRecord | undefined {
    return this.#recent.at(-1);
  }
  get samples(): readonly number[] {
    return this.#samples;
  }
  get evaluations(): readonly EvaluationView[] {
    return this.#evaluations;
  }
  /** Count of reads; 0 if there are no files. */
  get evaluationsRead(): number {
    return this.#evaluationsRead;
  }
  get events(): readonly RunEvent[] {
    return this.#events;
  }
  /** The last steps, one by one. */
  get recent(): readonly StepRecord[] {
    return this.#recent;
  }

  columns(most: number): StepColumns {
    return this.#buckets.columns(most);
  }

  readonly refresh = oneAtATime(async (): Promise<void> => {
    if (this.fault === null) await this.#readSteps();
    await this.#readEvents();
    await this.#readSamples();
    await this.#readEvaluations();
  });

  async #readSteps(): Promise<void> {
    const add = (text: string): void => {
      const record = parseStepLine(text);
      if (record.step <= (this.last?.step ?? 0)) throw new RangeError(`step ${record.step} comes twice`);
      this.#buckets.add(record);
      this.#recent.push(record);
      if (this.#recent.length > 2 * RECENT_STEPS) this.#recent = this.#recent.slice(-RECENT_STEPS);
    };
    const isWhole = await this.#stats.read(add).catch(() => false);
    if (isWhole) return;
    // The run has gone back, perhaps while the file was read.
    this.#beginAnew();
    try {
      await this.#stats.read(add);
    } catch (error) {
      // What came before is shown; nobody mends it while it is looked at.
      this.fault = `${this.folder.statsFile}: ${messageOf(error)}`;
    }
  }

  #beginAnew(): void {
    this.#edition++;
    this.#stats.rewind();
    this.#buckets.clear();
    this.#recent = [];
  }

  async #readEvents(): Promise<void> {
    const add = (text: string): void => {
      const event = parseEventLine(text, ++this.#eventLine);
      if (!event || event.id <= this.#lastEvent) return;
      this.#lastEvent = event.id;
      this.#events.push(event);
      if (this.#events.length > 2 * RECENT_EVENTS) this.#events = this.#events.slice(-RECENT_EVENTS);
    };
    const isWhole = await this.#eventLines.read(add).catch(() => true);
    if (isWhole) return;
    // It was thinned: what is new in it has higher ids than what was read before.
    this.#eventLines.rewind();
    this.#eventLine = 0;
    await this.#eventLines.read(add).catch(() => undefined);
  }

  /** The folder is read when it has changed. */
  async #readSamples(): Promise<void> {
    const changed = await changeOf(this.folder.samples);
    if (changed === this.#samplesChanged) return;
    this.#samples = await this.folder.sampleSteps();
    this.#samplesChanged = settled(changed);
  }

  async #readEvaluations(): Promise<void> {
    const changed = await changeOf(this.folder.evaluations);
    if (changed === this.#evaluationsChanged) return;
    const steps = (await this.folder.evaluationSteps()).slice(-RECENT_EVALUATIONS);
    const read = await Promise.all(steps.map((step) => readEvaluation(this.folder, step)));
    const evaluations = read.filter((evaluation) => evaluation !== undefined);
    if (JSON.stringify(evaluations) !== JSON.stringify(this.#evaluations)) this.#evaluationsRead++;
    this.#evaluations = evaluations;
    this.#evaluationsChanged = settled(changed);
  }
}

/** When something was made or removed in a folder last, in milliseconds; 0 if there is none. */
async function changeOf(folder: string): Promise<number> {
  return stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

/** A file system's clock may be coarse: what is new is read once more. */
function settled(changed: number): number {
  return Date.now() - changed > 2_000 ? changed : 0;
}
