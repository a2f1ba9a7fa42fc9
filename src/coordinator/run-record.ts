import { messageOf } from '../common/errors.js';
import type { Faces, Sampler } from '../data/index.js';
import { SAMPLE_COUNT } from '../model/noise.js';
import type { TrainingOptions } from '../model/training-options.js';
import { pruneCheckpoints, writeCheckpoint } from './checkpoint/checkpoint.js';
import type { ComputeGroup } from './compute-group.js';
import type { RunMetrics } from './metrics/run-metrics.js';
import type { Progress } from './progress/progress.js';
import { makeGrid } from './run/image-grid.js';
import { LossReport } from './run/loss-report.js';
import { writePicture } from './run/picture.js';
import type { RunFolder } from './run/run-folder.js';
import type { StepLog } from './run/step-log.js';
import type { StepOutcome } from './training-loop.js';

export interface RunRecordOptions {
  readonly run: RunFolder;
  readonly log: StepLog;
  readonly training: TrainingOptions;
  readonly group: ComputeGroup;
  readonly metrics: RunMetrics;
  readonly progress: Progress;
  readonly faces: Faces;
  readonly keepCheckpoints: number;
}

/** Everything a run leaves and shows, step by step. */
export class RunRecord {
  readonly #losses: LossReport;
  readonly #abort = new AbortController();
  #lastCheckpoint: { readonly path: string; readonly step: number } | undefined;
  #lastSamples: number | undefined;

  constructor(private readonly options: RunRecordOptions) {
    const report = (line: string): void => {
      options.progress.log(line);
    };
    this.#losses = new LossReport(options.run, report, this.#abort.signal);
  }

  /** Where the newest checkpoint of this process is. */
  get lastCheckpoint(): string | undefined {
    return this.#lastCheckpoint?.path;
  }

  async step({ record, phaseSeconds, gradientNorms }: StepOutcome): Promise<void> {
    const { log, metrics, progress } = this.options;
    await log.append(record);
    metrics.recordStep(record, phaseSeconds);
    metrics.setGradientNorm('discriminator', gradientNorms.discriminator);
    metrics.setGradientNorm('generator', gradientNorms.generator);
    progress.show(record);
  }

  /** The first faces of the dataset, in the layout of the samples: reals.png. */
  async reals(sampler: Sampler): Promise<void> {
    const { faces, run, training } = this.options;
    const { shards } = training;
    const indices = Array.from({ length: shards }, (_, shard) => [...sampler.indices(1, shard)]).flat();
    const shown = indices.slice(0, SAMPLE_COUNT);
    const bytes = new Uint8Array(shown.length * faces.size ** 2 * 3);
    faces.read(shown, bytes);
    const images = Float32Array.from(bytes, (value) => value / 127.5 - 1);
    await writePicture(run.realsPicture, makeGrid(images, { count: shown.length, size: faces.size }));
  }

  async samples(step: number): Promise<void> {
    if (this.#lastSamples === step) return;
    const { group, run, training } = this.options;
    const images = await group.samples();
    const grid = makeGrid(images, { count: SAMPLE_COUNT, size: training.imageSize });
    await writePicture(run.samplePicture(step), grid);
    this.#lastSamples = step;
  }

  async checkpoint(step: number, epoch: number): Promise<void> {
    if (this.#lastCheckpoint?.step === step) return;
    const { run, log, group, training, faces, metrics, keepCheckpoints } = this.options;
    // What the log says was done must not be less than what the checkpoint holds.
    await log.sync();
    const facts = { step, epoch, engine: group.engine, datasetFingerprint: faces.fingerprint };
    const path = await writeCheckpoint(run, group, training, facts);
    this.#lastCheckpoint = { path, step };
    metrics.setCheckpoint(step, new Date());
    await pruneCheckpoints(run, keepCheckpoints);
    void this.losses();
  }

  /** losses.csv, GL.npy, DL.npy and loss.png from all steps so far. What goes wrong is said, and does not end a run. */
  async losses(): Promise<void> {
    try {
      await this.#losses.write();
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.options.progress.log(`the losses were not written: ${messageOf(error)}`);
    }
  }

  /** Gives up what is still being drawn. */
  close(): void {
    this.#abort.abort();
  }
}
