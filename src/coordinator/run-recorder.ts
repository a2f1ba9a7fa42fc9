import { stat } from 'node:fs/promises';
import { messageOf } from '../common/errors.js';
import { faceBytes, normalise, type Faces, type Sampler } from '../data/index.js';
import { SAMPLE_COUNT } from '../model/noise.js';
import { CheckpointWriter, type WrittenCheckpoint } from '../run/checkpoint/checkpoint-writer.js';
import { dropCheckpointsAfter } from '../run/checkpoint/checkpoint-files.js';
import type { Checkpoint, CheckpointFacts } from '../run/checkpoint/checkpoint.js';
import { openNewestWhole } from '../run/checkpoint/open-checkpoint.js';
import type { ComputeGroup } from './executor.js';
import type { RunEvaluations } from '../evaluation/background-evaluation.js';
import type { RunEvents } from '../monitoring/live/event-log.js';
import type { RunMetrics } from '../monitoring/metrics/run-metrics.js';
import type { Progress } from '../monitoring/console/progress.js';
import { writeFacesReport } from '../run/reports/faces-report.js';
import { makeGrid } from '../sampling/image-grid.js';
import { spread } from '../sampling/sample-diversity.js';
import { LossReport } from '../run/reports/loss-report.js';
import { writePicture } from '../sampling/picture.js';
import type { RunFolder } from '../run/run-directory.js';
import type { RunLock } from '../run/run-lock.js';
import { lastEvaluated, type StepLog } from '../run/step-log.js';
import type { RunOptions } from '../options/resolve-options.js';
import { isDue } from '../model/is-due.js';
import type { StepOutcome } from './training-loop.js';

export interface RunRecordParts {
  readonly run: RunFolder;
  readonly lock: Pick<RunLock, 'requireHeld'>;
  readonly log: StepLog;
  readonly options: Pick<RunOptions, 'training' | 'sampleEvery' | 'checkpointEvery' | 'keepCheckpoints'>;
  readonly group: ComputeGroup;
  readonly metrics: RunMetrics;
  readonly progress: Progress;
  readonly faces: Faces;
  readonly sampler: Sampler;
  /** For the run's time line. */
  readonly events: Pick<RunEvents, 'add'>;
  readonly evaluations: RunEvaluations;
}

/** The loss plot takes a core from the steps beside it for a second: it is drawn no more often, in milliseconds. */
const LOSSES_INTERVAL = 60_000;

/** Everything a run leaves and shows, step by step. */
export class RunRecord {
  readonly #losses: LossReport;
  readonly #abort = new AbortController();
  readonly #checkpoints: CheckpointWriter;
  #lastSamples: number | undefined;
  #realSpread: number | undefined;
  #lossesDrawn = -Infinity;

  constructor(private readonly parts: RunRecordParts) {
    const report = (line: string): void => {
      parts.progress.log(line);
    };
    this.#losses = new LossReport(parts.run, report, { signal: this.#abort.signal });
    const { run, log, group, metrics, options, events } = parts;
    this.#checkpoints = new CheckpointWriter({
      ...{ run, log, group, training: options.training, keep: options.keepCheckpoints },
      onWritten: (step) => {
        metrics.setCheckpoint(step, new Date());
        events.add('checkpoint', `checkpoint of step ${step} written`);
        parts.evaluations.written(step);
      },
    });
  }

  /** The newest checkpoint of this process. */
  get lastCheckpoint(): WrittenCheckpoint | undefined {
    return this.#checkpoints.last;
  }

  /** Before the first step: reals.png, and what the untrained generator draws. */
  async beginning(): Promise<void> {
    const { run, options } = this.parts;
    const images = this.#reals();
    const size = options.training.imageSize;
    await writePicture(run.realsPicture, makeGrid(images, { count: images.length / faceBytes(size), size }));
    await this.#samples(0);
  }

  /**
   * After each step, and after the last one of its round whatever is due with any of them: before, there is no state of
   * the run. A checkpoint's copy is waited for, its writing is not.
   */
  async step({ record, round, phaseSeconds, gradientNorms, redone }: StepOutcome): Promise<void> {
    const { log, metrics, progress, evaluations, options } = this.parts;
    const { sampleEvery, checkpointEvery } = options;
    await this.parts.lock.requireHeld();
    this.#checkpoints.check();
    const evaluation = evaluations.take();
    await log.append(evaluation ? { ...record, evaluation } : record);
    metrics.recordStep(record, phaseSeconds);
    metrics.setGradientNorm('discriminator', gradientNorms.discriminator);
    metrics.setGradientNorm('generator', gradientNorms.generator);
    if (redone > 0) {
      metrics.countNonFinite(redone);
      const what = options.training.localSteps === undefined ? 'a gradient of' : 'the state after';
      const line = `${what} step ${record.step} was not finite and was computed again (${redone} times)`;
      progress.log(line, { level: 'warn' });
      this.parts.events.add('fault', line);
    }
    if (record.step < round.last) return;
    progress.show(record);
    if (isDue(round, sampleEvery)) await this.#samples(record.step);
    const isEvaluated = evaluations.isDue(round);
    if (isEvaluated) evaluations.expect(record.step);
    const isCheckpoint = isEvaluated || isDue(round, checkpointEvery);
    if (isCheckpoint || this.#checkpoints.owed)
      await this.#checkpoints.begin(this.#facts(record.step, record.epoch));
    if (isCheckpoint && performance.now() - this.#lossesDrawn > LOSSES_INTERVAL) {
      this.#lossesDrawn = performance.now();
      void this.losses();
    }
  }

  /**
   * Goes back to the newest checkpoint of the run that is whole, or to its beginning: what came later is as if it had
   * not been. Returns the checkpoint, open.
   */
  async rewind(): Promise<Checkpoint | undefined> {
    const { run, lock, log, metrics, options } = this.parts;
    await lock.requireHeld();
    await this.#checkpoints.giveUp();
    const checkpoint = await openNewestWhole(run, options.training);
    try {
      const step = checkpoint?.facts.step ?? 0;
      await dropCheckpointsAfter(run, step);
      metrics.rewind(await log.rewind(step));
      await this.goOnFrom(step);
      metrics.setCheckpoint(step, checkpoint ? (await stat(checkpoint.path)).mtime : new Date(0));
      this.#checkpoints.goBackTo(checkpoint && { path: checkpoint.path, step });
      this.#lastSamples = undefined;
      return checkpoint;
    } catch (error) {
      await checkpoint?.close();
      throw error;
    }
  }

  /** Prepares to resume after this step, with the earlier evaluations. */
  async goOnFrom(step: number): Promise<void> {
    const { evaluations, run } = this.parts;
    await evaluations.goOnFrom(step, await lastEvaluated(run.statsFile, step));
  }

  /** After the last step. */
  async end(step: number, epoch: number): Promise<void> {
    await this.#samples(step);
    await this.#checkpoints.finish(this.#facts(step, epoch));
  }

  /** The images of the first batches, as many as a grid of samples has. */
  #reals(): Float32Array {
    const { faces, sampler, options } = this.parts;
    const indices: number[] = [];
    for (let batch = 1; batch <= sampler.batchesPerEpoch && indices.length < SAMPLE_COUNT; batch++)
      for (let shard = 0; shard < options.training.shards; shard++)
        indices.push(...sampler.indices(batch, shard));
    const shown = indices.slice(0, SAMPLE_COUNT);
    const bytes = new Uint8Array(shown.length * faceBytes(faces.size));
    faces.read(shown, bytes);
    const images = new Float32Array(bytes.length);
    normalise(bytes, images);
    return images;
  }

  async #samples(step: number): Promise<void> {
    if (this.#lastSamples === step) return;
    const { group, run, metrics, options } = this.parts;
    const images = await group.samples();
    const size = options.training.imageSize;
    await writePicture(run.samplePicture(step), makeGrid(images, { count: SAMPLE_COUNT, size }));
    this.#lastSamples = step;
    // Before the first step there is nothing to tell: noise has next to none.
    if (step === 0) return;
    this.#realSpread ??= spread(this.#reals(), faceBytes(size));
    if (this.#realSpread > 0) metrics.setSampleDiversity(spread(images, faceBytes(size)) / this.#realSpread);
  }

  #facts(step: number, epoch: number): CheckpointFacts {
    const { group, faces } = this.parts;
    return { step, epoch, engine: group.engine, datasetFingerprint: faces.fingerprint };
  }

  /** losses.csv, GL.npy, DL.npy and loss.png from all steps so far. What goes wrong is said, and does not end a run. */
  async losses(): Promise<void> {
    try {
      await this.#losses.write();
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.parts.progress.log(`the losses were not written: ${messageOf(error)}`, { level: 'warn' });
    }
  }

  /** samples.gif, samples.webp and real-vs-fake.png. What goes wrong is said, and does not end a run. */
  async faces(): Promise<void> {
    try {
      await writeFacesReport(this.parts.run, this.#abort.signal);
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.parts.progress.log(`the pictures were not written: ${messageOf(error)}`, { level: 'warn' });
    }
  }

  /** Gives up what is still being drawn or evaluated, and a checkpoint that takes too long. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.parts.evaluations.close();
    await this.#checkpoints.giveUp();
  }
}
