import type { TrainingOptions } from '../../model/training-options.js';
import { CopyLost, type StateCopy } from '../../model/state-source.js';
import type { RunFolder } from '../run-directory.js';
import type { StepLog } from '../step-log.js';
import { pruneCheckpoints } from './checkpoint-files.js';
import type { CheckpointFacts } from './checkpoint.js';
import { writeCheckpoint } from './write-checkpoint.js';

/** Milliseconds that a checkpoint has to be completed when a run fails. */
const GRACE = 10_000;

/** Copies that may be lost at the end of a run, where no next step is left to take another at. */
const LAST_ATTEMPTS = 5;

export interface CheckpointWriterParts {
  readonly run: RunFolder;
  readonly log: Pick<StepLog, 'sync'>;
  readonly group: { copyState(): Promise<StateCopy> };
  readonly training: TrainingOptions;
  /** Newest checkpoints that stay. */
  readonly keep: number;
  /** Told when a checkpoint is in its place. */
  readonly onWritten: (step: number) => void;
}

/** Path of a checkpoint, and its last step. */
export interface WrittenCheckpoint {
  readonly path: string;
  readonly step: number;
}

/** Writes checkpoints in the background, one at a time. Training waits only for the copy of the state. */
export class CheckpointWriter {
  #last: WrittenCheckpoint | undefined;
  /** Never rejects. */
  #writing: Promise<void> = Promise.resolve();
  #abort = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #owed = false;

  constructor(private readonly parts: CheckpointWriterParts) {}

  /** The newest that is in its place. */
  get last(): WrittenCheckpoint | undefined {
    return this.#last;
  }

  /** True if the copy that was taken last is lost: another is to be taken after the next step. */
  get owed(): boolean {
    return this.#owed;
  }

  /** Throws the error that prevented a checkpoint, such as a full disk. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Copies the state once the previous checkpoint is written, and writes it in the background. */
  async begin(facts: CheckpointFacts): Promise<void> {
    await this.#writing;
    this.check();
    this.#owed = false;
    try {
      const copy = await this.parts.group.copyState();
      this.#abort = new AbortController();
      const { signal } = this.#abort;
      this.#writing = this.#write(copy, facts, signal).catch((error: unknown) => {
        if (!signal.aborted) this.#fail(error);
      });
    } catch (error) {
      if (!(error instanceof CopyLost)) throw error;
      this.#owed = true;
    }
  }

  /** Resolves when the checkpoint of this step, the run's last one, is in its place. */
  async finish(facts: CheckpointFacts): Promise<void> {
    await this.#writing;
    for (let attempt = 1; this.#last?.step !== facts.step; attempt++) {
      if (attempt > LAST_ATTEMPTS)
        throw new CopyLost('every copy of the state was lost before it was written');
      await this.begin(facts);
      await this.#writing;
      this.check();
    }
  }

  /** The run has gone back to this checkpoint, or to its beginning. */
  goBackTo(checkpoint: WrittenCheckpoint | undefined): void {
    this.#last = checkpoint;
  }

  /** Waits a little for what is being written, then gives it up: afterwards nothing is under way or half-written. */
  async giveUp(): Promise<void> {
    const timer = setTimeout(() => {
      this.#abort.abort(new Error('the checkpoint was given up'));
    }, GRACE);
    await this.#writing;
    clearTimeout(timer);
    this.#owed = false;
  }

  async #write(copy: StateCopy, facts: CheckpointFacts, signal: AbortSignal): Promise<void> {
    const { run, log, training, keep, onWritten } = this.parts;
    const path = run.checkpointFile(facts.step);
    // What the log says was done must not be less than what the checkpoint holds, after a power cut either.
    await log.sync();
    await writeCheckpoint(path, copy, training, facts, signal);
    this.#last = { path, step: facts.step };
    onWritten(facts.step);
    await pruneCheckpoints(run, keep);
  }

  #fail(error: unknown): void {
    if (error instanceof CopyLost) this.#owed = true;
    else this.#failure = { error };
  }
}
