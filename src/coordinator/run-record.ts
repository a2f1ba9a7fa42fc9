import { messageOf } from '../common/errors.js';
import { faceBytes, normalise, type Faces, type Sampler } from '../data/index.js';
import { SAMPLE_COUNT } from '../model/noise.js';
import { pruneCheckpoints, writeCheckpoint } from './checkpoint/checkpoint.js';
import type { ComputeGroup } from './compute-group.js';
import type { RunMetrics } from './metrics/run-metrics.js';
import type { Progress } from './progress/progress.js';
import { makeGrid } from './run/image-grid.js';
import { LossReport } from './run/loss-report.js';
import { writePicture } from './run/picture.js';
import type { RunFolder } from './run/run-folder.js';
import type { StepLog } from './run/step-log.js';
import type { RunOptions } from './settle-options.js';
import type { StepOutcome } from './training-loop.js';

export interface RunRecordParts {
  readonly run: RunFolder;
  readonly log: StepLog;
  readonly options: Pick<RunOptions, 'training' | 'sampleEvery' | 'checkpointEvery' | 'keepCheckpoints'>;
  readonly group: ComputeGroup;
  readonly metrics: RunMetrics;
  readonly progress: Progress;
  readonly faces: Faces;
}

/** Everything a run leaves and shows, step by step. */
export class RunRecord {
  readonly #losses: LossReport;
  readonly #abort = new AbortController();
  #lastCheckpoint: { readonly path: string; readonly step: number } | undefined;
  #lastSamples: number | undefined;

  constructor(private readonly parts: RunRecordParts) {
    const report = (line: string): void => {
      parts.progress.log(line);
    };
    this.#losses = new LossReport(parts.run, report, this.#abort.signal);
  }

  /** Where the newest checkpoint of this process is. */
  get lastCheckpoint(): string | undefined {
    return this.#lastCheckpoint?.path;
  }

  /** Before the first step: reals.png, and what the untrained generator draws. */
  async beginning(sampler: Sampler): Promise<void> {
    await this.#reals(sampler);
    await this.#samples(0);
  }

  /** After each step, and whatever is due with it. */
  async step({ record, phaseSeconds, gradientNorms }: StepOutcome): Promise<void> {
    const { log, metrics, progress } = this.parts;
    const { sampleEvery, checkpointEvery } = this.parts.options;
    await log.append(record);
    metrics.recordStep(record, phaseSeconds);
    metrics.setGradientNorm('discriminator', gradientNorms.discriminator);
    metrics.setGradientNorm('generator', gradientNorms.generator);
    progress.show(record);
    if (isDue(record.step, sampleEvery)) await this.#samples(record.step);
    if (isDue(record.step, checkpointEvery)) {
      await this.#checkpoint(record.step, record.epoch);
      void this.losses();
    }
  }

  /** After the last step. */
  async end(step: number, epoch: number): Promise<void> {
    await this.#samples(step);
    await this.#checkpoint(step, epoch);
  }

  /** The first batch, in the layout of the samples. */
  async #reals(sampler: Sampler): Promise<void> {
    const { faces, run } = this.parts;
    const { shards } = this.parts.options.training;
    const indices = Array.from({ length: shards }, (_, shard) => [...sampler.indices(1, shard)]).flat();
    const shown = indices.slice(0, SAMPLE_COUNT);
    const bytes = new Uint8Array(shown.length * faceBytes(faces.size));
    faces.read(shown, bytes);
    const images = new Float32Array(bytes.length);
    normalise(bytes, images);
    await writePicture(run.realsPicture, makeGrid(images, { count: shown.length, size: faces.size }));
  }

  async #samples(step: number): Promise<void> {
    if (this.#lastSamples === step) return;
    const { group, run, options } = this.parts;
    const images = await group.samples();
    const grid = makeGrid(images, { count: SAMPLE_COUNT, size: options.training.imageSize });
    await writePicture(run.samplePicture(step), grid);
    this.#lastSamples = step;
  }

  async #checkpoint(step: number, epoch: number): Promise<void> {
    if (this.#lastCheckpoint?.step === step) return;
    const { run, log, group, faces, metrics, options } = this.parts;
    // What the log says was done must not be less than what the checkpoint holds.
    await log.sync();
    const facts = { step, epoch, engine: group.engine, datasetFingerprint: faces.fingerprint };
    const path = await writeCheckpoint(run, group, options.training, facts);
    this.#lastCheckpoint = { path, step };
    metrics.setCheckpoint(step, new Date());
    await pruneCheckpoints(run, options.keepCheckpoints);
  }

  /** losses.csv, GL.npy, DL.npy and loss.png from all steps so far. What goes wrong is said, and does not end a run. */
  async losses(): Promise<void> {
    try {
      await this.#losses.write();
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.parts.progress.log(`the losses were not written: ${messageOf(error)}`);
    }
  }

  /** Gives up what is still being drawn. */
  close(): void {
    this.#abort.abort();
  }
}

function isDue(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}
