import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { StepRecord } from '../step-record.js';
import { ContinuedCounter, ContinuedHistogram } from './continued-metrics.js';
import {
  NETWORKS,
  WIRE_DIRECTIONS,
  WORKER_LOSS_REASONS,
  WORKER_STATES,
  type Network,
  type WireDirection,
  type WorkerLossReason,
  type WorkerState,
} from './labels.js';
import type { Countable, SavedCounters } from './saved-counters.js';

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

/** What is shown before the first step. */
const BEGINNING: ShownRecord = {
  ...{ step: 0, epoch: 0, generatorLoss: 0, discriminatorLoss: 0 },
  ...{ realScore: 0, fakeScoreBefore: 0, fakeScoreAfter: 0 },
};

export interface RunMetricsOptions {
  /** Images of a whole step. */
  readonly batchSize: number;
  /** Names of phases and of reasons for rejection that are known beforehand: their series start at 0. */
  readonly phases?: readonly string[];
  readonly rejectionReasons?: readonly string[];
}

/** What Prometheus reads of a run. Counters go on where a run goes on, from its checkpoint. */
export class RunMetrics {
  readonly registry = new Registry();
  /** Everything that counts, to be saved with a checkpoint. */
  readonly #countables: Countable[] = [];
  readonly #batchSize: number;

  readonly #generatorLoss = this.#gauge('dcgan_generator_loss', 'Generator loss of the last step.');
  readonly #discriminatorLoss = this.#gauge(
    'dcgan_discriminator_loss',
    'Discriminator loss of the last step.',
  );
  readonly #realScore = this.#gauge('dcgan_real_score', 'D(x): mean score of real images in the last step.');
  readonly #fakeScore = this.#gauge(
    'dcgan_fake_score',
    "D(G(z)): mean score of generated images, before and after the discriminator's update.",
    ['update'],
  );
  readonly #step = this.#gauge('dcgan_step', 'Last step that was completed.');
  readonly #epoch = this.#gauge('dcgan_epoch', 'Epoch of the last step, counted from 1.');
  readonly #images = this.#counter('dcgan_images_total', 'Real images trained on.');
  readonly #stepSeconds = this.#histogram('dcgan_step_seconds', 'Wall time of a step.', STEP_BUCKETS);
  readonly #phaseSeconds = this.#histogram(
    'dcgan_phase_seconds',
    'Wall time of one phase of a step.',
    PHASE_BUCKETS,
    ['phase'],
  );
  readonly #wireBytes = this.#counter(
    'dcgan_wire_bytes_total',
    'Bytes sent and received by the coordinator.',
    ['direction'],
  );
  readonly #rejected = this.#counter('dcgan_wire_rejected_total', 'Messages that were refused, by reason.', [
    'reason',
  ]);
  readonly #workers = this.#gauge('dcgan_workers', 'Workers by state.', ['state']);
  readonly #workerStepSeconds = this.#gauge(
    'dcgan_worker_step_seconds',
    'Computing time of the last step on each worker.',
    ['worker'],
  );
  readonly #workerLosses = this.#counter('dcgan_worker_losses_total', 'Workers that were lost, by reason.', [
    'reason',
  ]);
  readonly #checkpointStep = this.#gauge(
    'dcgan_checkpoint_step',
    'Step of the last checkpoint; 0 before the first.',
  );
  readonly #checkpointTimestamp = this.#gauge(
    'dcgan_checkpoint_timestamp_seconds',
    'Unix time of the last checkpoint; 0 before the first.',
  );
  readonly #gradientNorm = this.#gauge(
    'dcgan_gradient_norm',
    'L2 norm of the averaged gradient in the last step.',
    ['network'],
  );
  readonly #nonFinite = this.#counter(
    'dcgan_nonfinite_total',
    'Losses and gradients that were NaN or infinite.',
  );

  constructor({ batchSize, phases = [], rejectionReasons = [] }: RunMetricsOptions) {
    this.#batchSize = batchSize;
    for (const update of ['before', 'after']) this.#fakeScore.set({ update }, 0);
    for (const phase of phases) this.#phaseSeconds.zero({ phase });
    for (const direction of WIRE_DIRECTIONS) this.#wireBytes.inc({ direction }, 0);
    for (const reason of rejectionReasons) this.#rejected.inc({ reason }, 0);
    for (const state of WORKER_STATES) this.#workers.set({ state }, 0);
    for (const reason of WORKER_LOSS_REASONS) this.#workerLosses.inc({ reason }, 0);
    for (const network of NETWORKS) this.#gradientNorm.set({ network }, 0);
    // Its watches on garbage collection and the event loop cannot be taken back, but keep no process alive.
    collectDefaultMetrics({ register: this.registry });
  }

  /** The step's bytes are not counted here but in countWireBytes, which sees what passes between steps too. */
  recordStep(record: StepRecord, phaseSeconds: Readonly<Record<string, number>>): void {
    this.#show(record);
    this.#images.inc({}, this.#batchSize);
    this.#stepSeconds.observe({}, record.computeSeconds + record.averagingSeconds);
    for (const [phase, seconds] of Object.entries(phaseSeconds))
      this.#phaseSeconds.observe({ phase }, seconds);
  }

  /** What was counted so far, for a checkpoint. */
  async counters(): Promise<SavedCounters> {
    return (await Promise.all(this.#countables.map((countable) => countable.counts()))).flat();
  }

  /** Goes on from what was counted up to a checkpoint. Names that are not known are left out. */
  continueFrom(saved: SavedCounters): void {
    for (const countable of this.#countables) countable.continueFrom(saved);
  }

  /** The run has gone back to this step, or to its beginning. Counters still say what was done. */
  rewind(last: StepRecord | undefined): void {
    this.#show(last ?? BEGINNING);
  }

  /** A state that is not named has no worker in it. */
  setWorkers(counts: Readonly<Partial<Record<WorkerState, number>>>): void {
    for (const state of WORKER_STATES) this.#workers.set({ state }, counts[state] ?? 0);
  }

  setWorkerStepSeconds(worker: string, seconds: number): void {
    this.#workerStepSeconds.set({ worker }, seconds);
  }

  /** Ends the series of a worker that is gone: its last value would stand for ever. */
  forgetWorker(worker: string): void {
    this.#workerStepSeconds.remove({ worker });
  }

  countWorkerLoss(reason: WorkerLossReason): void {
    this.#workerLosses.inc({ reason });
  }

  countRejected(reason: string): void {
    this.#rejected.inc({ reason });
  }

  countWireBytes(direction: WireDirection, bytes: number): void {
    this.#wireBytes.inc({ direction }, bytes);
  }

  setCheckpoint(step: number, at: Date): void {
    this.#checkpointStep.set(step);
    this.#checkpointTimestamp.set(at.getTime() / 1000);
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

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #counter<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): ContinuedCounter<Label> {
    const counter = new ContinuedCounter({ name, help, labelNames, registry: this.registry });
    this.#countables.push(counter);
    return counter;
  }

  #histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly Label[] = [],
  ): ContinuedHistogram<Label> {
    const histogram = new ContinuedHistogram({ name, help, labelNames, registry: this.registry }, buckets);
    this.#countables.push(histogram);
    return histogram;
  }
}
