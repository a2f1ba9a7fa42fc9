import { basename } from 'node:path';
import { printable } from '#printable';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { PROJECT_VERSION } from '../../common/process/version.js';
import type { TrainingOptions } from '../../model/training-options.js';
import type { LoggedEvaluation, StepRecord } from '../../run/step-record.js';
import { WorkerBoard } from '../live/worker-table.js';
import { DiskSpace } from './disk-space.js';
import {
  NETWORKS,
  UPDATES,
  WIRE_DIRECTIONS,
  WORKER_LOSS_REASONS,
  WORKER_STATES,
  type Network,
  type WireDirection,
  type WorkerLossReason,
  type WorkerState,
} from './labels.js';
import { METRICS, type LabelOf, type MetricName, type MetricOfType } from './definitions.js';

/** From a step of a small network on a GPU to one of a large network on two cores. */
const STEP_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const PHASE_BUCKETS = [0.0025, 0.005, ...STEP_BUCKETS];

type ShownRecord = Pick<
  StepRecord,
  | 'step'
  | 'epoch'
  | 'generatorLoss'
  | 'discriminatorLoss'
  | 'realScore'
  | 'fakeScoreBefore'
  | 'fakeScoreAfter'
>;

/** Values before the first step. */
const BEGINNING: ShownRecord = {
  ...{ step: 0, epoch: 0, generatorLoss: 0, discriminatorLoss: 0 },
  ...{ realScore: 0, fakeScoreBefore: 0, fakeScoreAfter: 0 },
};

/** Constant facts of a run. */
export interface RunDescription {
  /** Its directory. The run is called by that name, and writes to that disk. */
  readonly folder: string;
  readonly training: Pick<TrainingOptions, 'architecture' | 'imageSize' | 'batchSize' | 'shards'>;
  /** With its version; undefined while it is not known. */
  readonly engine: string | undefined;
}

/** A worker's part of a phase. */
export interface WorkerPhase {
  readonly seconds: number;
  readonly shards: number;
}

export interface RunMetricsOptions {
  /** Images of a whole step. */
  readonly batchSize: number;
  /** Names of phases and of reasons for rejection that are known beforehand: their series start at 0. */
  readonly phases?: readonly string[];
  readonly rejectionReasons?: readonly string[];
  /** Equal parts of a batch. */
  readonly shards?: number;
  /** Hears of each message that is rejected. */
  readonly onRejected?: (reason: string) => void;
}

/** Metrics of a run for Prometheus. Counters and histograms start at 0 in each process, as Prometheus expects. */
export class RunMetrics {
  readonly registry = new Registry();
  /** The same of each worker for people. */
  readonly board: WorkerBoard;
  readonly #onRejected: (reason: string) => void;
  readonly #batchSize: number;

  readonly #runInfo = this.#gauge('dcgan_run_info');
  readonly #generatorLoss = this.#gauge('dcgan_generator_loss');
  readonly #discriminatorLoss = this.#gauge('dcgan_discriminator_loss');
  readonly #realScore = this.#gauge('dcgan_real_score');
  readonly #fakeScore = this.#gauge('dcgan_fake_score');
  readonly #gradientNorm = this.#gauge('dcgan_gradient_norm');
  readonly #sampleDiversity = this.#gauge('dcgan_sample_diversity');
  readonly #nonFinite = this.#counter('dcgan_nonfinite_total');
  readonly #step = this.#gauge('dcgan_step');
  readonly #plannedSteps = this.#gauge('dcgan_planned_steps');
  readonly #epoch = this.#gauge('dcgan_epoch');
  readonly #images = this.#counter('dcgan_images_total');
  readonly #stepSeconds = this.#histogram('dcgan_step_seconds', STEP_BUCKETS);
  readonly #averagingSeconds = this.#histogram('dcgan_averaging_seconds', PHASE_BUCKETS);
  readonly #phaseSeconds = this.#histogram('dcgan_phase_seconds', PHASE_BUCKETS);
  readonly #wireBytes = this.#counter('dcgan_wire_bytes_total');
  readonly #rejected = this.#counter('dcgan_wire_rejected_total');
  readonly #workers = this.#gauge('dcgan_workers');
  readonly #workerStepSeconds = this.#gauge('dcgan_worker_step_seconds');
  readonly #workerShards = this.#gauge('dcgan_worker_shards');
  /** Seconds of each worker's last phases, by worker and phase. */
  readonly #workerPhases = new Map<string, Map<string, number>>();
  readonly #workerLosses = this.#counter('dcgan_worker_losses_total');
  readonly #checkpointStep = this.#gauge('dcgan_checkpoint_step');
  readonly #checkpointTimestamp = this.#gauge('dcgan_checkpoint_timestamp_seconds');
  readonly #faceRatio = this.#gauge('dcgan_evaluation_face_ratio');
  readonly #frechetDistance = this.#gauge('dcgan_evaluation_frechet_distance');
  readonly #evaluationStep = this.#gauge('dcgan_evaluation_step');
  readonly #diskFree = this.#gauge('dcgan_disk_free_bytes', () => this.#askDisk());
  #disk: DiskSpace | undefined;

  constructor(options: RunMetricsOptions) {
    const { batchSize, phases = [], rejectionReasons = [], shards = 1 } = options;
    this.#batchSize = batchSize;
    this.#onRejected = options.onRejected ?? (() => undefined);
    this.board = new WorkerBoard(batchSize / shards);
    // They are not 0 before they are known.
    for (const gauge of [this.#sampleDiversity, this.#faceRatio, this.#frechetDistance]) gauge.remove();
    for (const update of UPDATES) this.#fakeScore.set({ update }, 0);
    for (const phase of phases) this.#phaseSeconds.zero({ phase });
    for (const direction of WIRE_DIRECTIONS) this.#wireBytes.inc({ direction }, 0);
    for (const reason of rejectionReasons) this.#rejected.inc({ reason }, 0);
    for (const state of WORKER_STATES) this.#workers.set({ state }, 0);
    for (const reason of WORKER_LOSS_REASONS) this.#workerLosses.inc({ reason }, 0);
    for (const network of NETWORKS) this.#gradientNorm.set({ network }, 0);
    // Its watches on garbage collection and the event loop cannot be taken back, but keep no process alive.
    collectDefaultMetrics({ register: this.registry });
  }

  /** Sets the planned steps. */
  plan(steps: number): void {
    this.#plannedSteps.set(steps);
  }

  /** Sets the constant facts of the run. */
  describe({ folder, training, engine = '' }: RunDescription): void {
    this.#runInfo.reset();
    this.#runInfo.set(
      {
        ...{
          run: printable(basename(folder)),
          architecture: training.architecture,
          image_size: training.imageSize,
        },
        ...{ batch_size: training.batchSize, shards: training.shards, engine, version: PROJECT_VERSION },
      },
      1,
    );
    this.#disk = new DiskSpace(folder);
  }

  /** The step's bytes are not counted here but in countWireBytes, which sees what passes between steps too. */
  recordStep(record: StepRecord, phaseSeconds: Readonly<Record<string, number>>): void {
    this.#show(record);
    this.#images.inc({}, this.#batchSize);
    this.#stepSeconds.observe({}, record.computeSeconds + record.averagingSeconds);
    this.#averagingSeconds.observe({}, record.averagingSeconds);
    for (const [phase, seconds] of Object.entries(phaseSeconds))
      this.#phaseSeconds.observe({ phase }, seconds);
    this.board.step(phaseSeconds);
  }

  /** The run has gone back to this step, or to its beginning. Counters still say what was done. */
  rewind(last: StepRecord | undefined): void {
    this.#show(last ?? BEGINNING);
  }

  /** A state that is not named has no worker in it. */
  setWorkers(counts: Readonly<Partial<Record<WorkerState, number>>>): void {
    for (const state of WORKER_STATES) this.#workers.set({ state }, counts[state] ?? 0);
  }

  /** Records the seconds of a worker's shards in a phase. The time of a step is the sum of its last phases. */
  recordWorkerPhase(worker: string, phase: string, { seconds, shards }: WorkerPhase): void {
    const phases = this.#workerPhases.get(worker) ?? new Map<string, number>();
    this.#workerPhases.set(worker, phases.set(phase, seconds));
    this.#workerStepSeconds.set(
      { worker },
      [...phases.values()].reduce((sum, spent) => sum + spent, 0),
    );
    this.#workerShards.set({ worker }, shards);
    this.board.phase(Number(worker), phase, { seconds, shards });
  }

  /** Ends the series of a worker that is gone: its last value would stand for ever. */
  forgetWorker(worker: string): void {
    this.#workerPhases.delete(worker);
    this.#workerStepSeconds.remove({ worker });
    this.#workerShards.remove({ worker });
  }

  countWorkerLoss(reason: WorkerLossReason): void {
    this.#workerLosses.inc({ reason });
  }

  countRejected(reason: string): void {
    this.#rejected.inc({ reason });
    this.#onRejected(reason);
  }

  countWireBytes(direction: WireDirection, bytes: number): void {
    this.#wireBytes.inc({ direction }, bytes);
  }

  setCheckpoint(step: number, at: Date): void {
    this.#checkpointStep.set(step);
    this.#checkpointTimestamp.set(at.getTime() / 1000);
  }

  /** Difference between generated images, as a fraction of that between real ones. */
  setSampleDiversity(share: number): void {
    this.#sampleDiversity.set(share);
  }

  setEvaluation({ step, faceShare, frechetDistance }: LoggedEvaluation): void {
    this.#evaluationStep.set(step);
    this.#faceRatio.set(faceShare);
    this.#frechetDistance.set(frechetDistance);
  }

  setGradientNorm(network: Network, norm: number): void {
    this.#gradientNorm.set({ network }, norm);
  }

  countNonFinite(count = 1): void {
    this.#nonFinite.inc({}, count);
  }

  #show(record: ShownRecord): void {
    this.#generatorLoss.set(record.generatorLoss);
    this.#discriminatorLoss.set(record.discriminatorLoss);
    this.#realScore.set(record.realScore);
    this.#fakeScore.set({ update: 'before' }, record.fakeScoreBefore);
    this.#fakeScore.set({ update: 'after' }, record.fakeScoreAfter);
    this.#step.set(record.step);
    this.#epoch.set(record.epoch);
  }

  async #askDisk(): Promise<void> {
    const free = await this.#disk?.free();
    if (free === undefined) this.#diskFree.remove();
    else this.#diskFree.set(free);
  }

  /** `collect` is called whenever the metrics are read. */
  #gauge<Name extends MetricOfType<'gauge'>>(
    name: Name,
    collect?: () => Promise<void>,
  ): Gauge<LabelOf<Name>> {
    const configuration = { ...this.#definition(name), registers: [this.registry] };
    return new Gauge(collect ? { ...configuration, collect } : configuration);
  }

  #counter<Name extends MetricOfType<'counter'>>(name: Name): Counter<LabelOf<Name>> {
    return new Counter({ ...this.#definition(name), registers: [this.registry] });
  }

  #histogram<Name extends MetricOfType<'histogram'>>(
    name: Name,
    buckets: number[],
  ): Histogram<LabelOf<Name>> {
    return new Histogram({ ...this.#definition(name), registers: [this.registry], buckets });
  }

  #definition<Name extends MetricName>(
    name: Name,
  ): { name: Name; help: string; labelNames: LabelOf<Name>[] } {
    const { help, labels } = METRICS[name];
    return { name, help, labelNames: Object.keys(labels) as LabelOf<Name>[] };
  }
}
