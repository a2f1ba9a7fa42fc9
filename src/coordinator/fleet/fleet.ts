import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Deferred } from '../../common/deferred.js';
import { Interrupted, messageOf } from '../../common/errors.js';
import type { Faces, Sampler } from '../../data/index.js';
import type { EngineName } from '../../engine/engine.js';
import { IMAGE_CHANNELS } from '../../model/architecture.js';
import { modelLayout } from '../../model/layout.js';
import { SAMPLE_COUNT } from '../../model/noise.js';
import { phaseLayout, type Phase } from '../../model/phase.js';
import { stateLayout } from '../../model/state.js';
import type { TrainingOptions } from '../../model/training-options.js';
import { bytesOf } from '../../wire/chunks.js';
import type { Received } from '../../wire/listener.js';
import { Content, type Bodies, type Message, type MessageOf } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import type { ComputeGroup, PhaseOutcome, StateCopy, StateSource } from '../compute-group.js';
import type { WorkerLossReason } from '../metrics/labels.js';
import type { RunMetrics } from '../metrics/run-metrics.js';
import { trainByAverage, type Average, type Averager } from '../train-by-average.js';
import { Admission } from './admission.js';
import { ContentSource } from './content-source.js';
import { StepDeadline } from './deadline.js';
import { Expectations } from './expectations.js';
import { LocalWorkers, type Placement } from './local-workers.js';
import { PhaseRound } from './phase-round.js';
import { Post } from './post.js';
import { Roster, type Member } from './roster.js';
import { SnapshotFetch } from './snapshot-fetch.js';
import { WorkerLost } from './worker-lost.js';

/** Where workers of this machine connect to: any free port. */
const LOCAL_ADDRESS = 'tcp://127.0.0.1:*';

/** A run has one membership: who is lost ends it. */
const GENERATION = 1;

/** How long a snapshot may take, and how long fetching it, in milliseconds. */
const SNAPSHOT_TIMEOUT = 120_000;

/** How long workers may take to come, engines to load, states and images to arrive, in milliseconds. */
const JOIN_TIMEOUT = 600_000;

export interface FleetOptions {
  readonly training: TrainingOptions;
  readonly workers: number;
  /** Workers are started elsewhere and come to `listen`; otherwise here. */
  readonly external: boolean;
  readonly listen: string | undefined;
  readonly engine: EngineName;
  readonly placement: readonly Placement[];
  readonly faces: Faces;
  readonly sampler: Sampler;
  /** The step that will be computed first. */
  readonly firstStep: number;
  readonly from: StateSource | undefined;
  readonly metrics: RunMetrics;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The workers of a run: has them compute, and sums what they send in the order of the shards. */
export class Fleet implements ComputeGroup, Averager {
  readonly #averaged: Record<Phase, Float32Array>;
  readonly #deadline = new StepDeadline();
  readonly #content: ContentSource;
  readonly #admission: Admission;
  readonly #snapshots: SnapshotFetch;
  #processes: LocalWorkers | undefined;
  #closing = false;
  /** The phase that is being computed. */
  #round: { readonly round: PhaseRound; readonly done: Deferred<void> } | undefined;

  private constructor(
    private readonly options: FleetOptions,
    private readonly roster: Roster,
    private readonly post: Post,
    private readonly expectations: Expectations,
  ) {
    const { training, faces, sampler, from } = options;
    const layout = modelLayout(training);
    this.#averaged = {
      discriminator: new Float32Array(phaseLayout('discriminator', layout).length),
      generator: new Float32Array(phaseLayout('generator', layout).length),
    };
    this.#content = new ContentSource(faces, sampler, from);
    const { external, firstStep, log } = options;
    this.#admission = new Admission({
      ...{ training, dataset: faces, external, firstStep, fetchState: from !== undefined },
      ...{ roster, post, expectations, log },
    });
    this.#snapshots = new SnapshotFetch(post, expectations, (awaited, { number }) =>
      this.#within(SNAPSHOT_TIMEOUT, awaited, () => [number]),
    );
  }

  /** Resolves when every worker has its shards, and the state and images to begin with. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const { metrics, workers, listen } = options;
    const roster = new Roster(workers, metrics);
    const expectations = new Expectations();
    const post = await Post.open({
      ...{ address: listen ?? LOCAL_ADDRESS, run: randomUUID(), generation: GENERATION, roster, metrics },
      onGone: ({ number }) => {
        void fleet.#connectionLost(number);
      },
    });
    const fleet = new Fleet(options, roster, post, expectations);
    try {
      void fleet.#readMessages();
      fleet.#callWorkers();
      await fleet.#gather();
      return fleet;
    } catch (error) {
      await fleet.close();
      throw error;
    }
  }

  get workers(): number {
    return this.options.workers;
  }

  get engine(): string {
    return this.roster.engine ?? this.options.engine;
  }

  train<P extends Phase>(phase: P, step: number): Promise<PhaseOutcome<P>> {
    return trainByAverage(this, phase, step);
  }

  /** When this has resolved, the whole average is on its way to the workers. */
  async compute(phase: Phase, step: number): Promise<Average> {
    const { workerOfShard } = this.#admission;
    const { gradient } = phaseLayout(phase, modelLayout(this.options.training));
    const round = new PhaseRound(phase, step, workerOfShard, this.#averaged[phase], gradient.end);
    const done = this.expectations.expect();
    this.#round = { round, done };
    const started = performance.now();
    await this.post.toAll('compute', {}, { phase, step });
    await this.#within(this.#deadline.milliseconds, done, () => round.late);
    this.#round = undefined;
    this.#deadline.took(performance.now() - started);
    const seconds = [...round.secondsOfWorker];
    for (const [worker, spent] of seconds) this.options.metrics.setWorkerStepSeconds(String(worker), spent);
    const computeSeconds = Math.max(...seconds.map(([, spent]) => spent));
    return { vector: round.mean(), gradientNorm: round.gradientNorm(), computeSeconds };
  }

  async apply(phase: Phase, step: number): Promise<void> {
    await this.post.toAll('apply', {}, { phase, step });
  }

  restart(): Promise<void> {
    return Promise.reject(new Error('not yet'));
  }

  async samples(): Promise<Float32Array> {
    const { imageSize } = this.options.training;
    const images = new Float32Array(SAMPLE_COUNT * imageSize ** 2 * IMAGE_CHANNELS);
    const bytes = bytesOf(images);
    await this.#snapshots.fetch(this.roster.get(0), Content.SAMPLES, bytes.length, (payload, offset) => {
      bytes.set(payload, offset);
    });
    return images;
  }

  async copyState(): Promise<StateCopy> {
    const member = this.roster.get(0);
    const { length } = stateLayout(modelLayout(this.options.training));
    const total = length * Float32Array.BYTES_PER_ELEMENT;
    await this.#snapshots.copy(member, Content.STATE, total);
    return { read: (take) => this.#snapshots.pull(member, Content.STATE, total, take) };
  }

  traffic(): { readonly sent: number; readonly received: number } {
    return this.post.traffic;
  }

  /** Tells the workers that the run is over, waits for those of this machine, and closes the socket. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.expectations.fail(new Error('the fleet is closed'));
    await this.post.toAll('stop', { reason: 'the run is over' });
    // Who has not said hello yet cannot be told.
    if (this.roster.all().length < this.options.workers) this.#processes?.kill();
    await this.#processes?.stopped();
    await this.post.close();
  }

  /** Starts the workers of this machine, or says where others have to come to. */
  #callWorkers(): void {
    const { external, workers, engine, placement, log } = this.options;
    if (external) {
      const address = reachable(this.post.address);
      log(
        `waiting for ${workers} worker${workers === 1 ? '' : 's'}: npm run worker -- --coordinator ${address}`,
      );
      return;
    }
    this.#processes = new LocalWorkers({
      count: workers,
      coordinator: this.post.address,
      engine,
      placement,
      onLine: (worker, line) => {
        log(`worker ${worker}: ${line}`);
      },
      onExit: (worker, cause) => {
        this.#lose(worker, 'exited', cause);
      },
    });
  }

  /** Waits until everybody is ready, or the user no longer wants to. */
  async #gather(): Promise<void> {
    const { signal } = this.options;
    const onAbort = (): void => {
      this.expectations.fail(new Interrupted('stopped before the first step'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#within(JOIN_TIMEOUT, this.#admission.done, () => this.roster.missing());
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #readMessages(): Promise<void> {
    try {
      for await (const received of this.post.messages()) this.#receive(received);
    } catch (error) {
      this.#refuseOrFail(error);
    }
  }

  #receive(received: Received): void {
    try {
      const { peer, message } = received;
      if (message.kind === 'hello')
        this.#settle(this.#admission.hello(peer, message.body, this.#placeOf(message.body)));
      else this.#handle(this.post.senderOf(received), message);
    } catch (error) {
      this.#refuseOrFail(error);
    }
  }

  #handle(member: Member, message: Message): void {
    switch (message.kind) {
      case 'ready':
        this.#settle(this.#admission.ready(member, message.body));
        return;
      case 'prepared':
        this.#admission.prepared(member);
        return;
      case 'chunk':
        if (message.body.content === Content.GRADIENT) this.#addGradient(member, message);
        else this.#snapshots.chunk(member, message.body);
        return;
      case 'shardDone': {
        const round = this.#currentRound();
        round.shardDone(member.number, message, message.body);
        if (round.complete) this.#round?.done.resolve();
        return;
      }
      case 'snapshotTaken':
        this.#snapshots.taken(member, message.body);
        return;
      case 'fetch':
        this.#settle(this.#answerFetch(member, message.body));
        return;
      case 'failure':
        this.#lose(member.number, 'exited', `cannot go on: ${message.body.reason}`);
        return;
      case 'hello':
      case 'welcome':
      case 'refusal':
      case 'assignment':
      case 'compute':
      case 'apply':
      case 'snapshot':
      case 'stop':
      case 'ping':
        throw new Rejection('unexpected', `${message.kind} is not for a coordinator`);
    }
  }

  /** Sums a part of a shard's gradient; where it was the last one, that part of the average goes out at once. */
  #addGradient(member: Member, message: MessageOf<'chunk'>): void {
    const round = this.#currentRound();
    const { offset, total, payload } = message.body;
    if (!round.addChunk(member.number, message, message.body)) return;
    const { phase, step } = round;
    // Nobody waits for the sending, and nothing is copied: the next average of this phase begins with gradients that
    // every worker computes when it has this one.
    const part = bytesOf(this.#averaged[phase]).subarray(offset, offset + payload.length);
    const chunk = { content: Content.AVERAGE, shard: 0, offset, total, payload: part };
    this.#settle(this.post.toAll('chunk', chunk, { phase, step }));
  }

  #currentRound(): PhaseRound {
    if (!this.#round) throw new Rejection('unexpected', 'a gradient that nobody asked for');
    return this.#round.round;
  }

  async #answerFetch(member: Member, fetch: Bodies['fetch']): Promise<void> {
    await this.post.send(member, 'chunk', await this.#content.chunk(fetch));
  }

  /** The number of a worker that says hello: that of its process here, or the next free one. */
  #placeOf({ pid }: Bodies['hello']): number | undefined {
    return this.options.external ? this.roster.freeNumber() : this.#processes?.numberOf(pid);
  }

  /** Lets something go on while the next messages are read. */
  #settle(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#refuseOrFail(error);
    });
  }

  /** A message that is not as it must be costs its sender only; anything else ends the run. */
  #refuseOrFail(error: unknown): void {
    if (error instanceof Rejection) this.options.metrics.countRejected(error.reason);
    else this.expectations.fail(error instanceof Error ? error : new Error(messageOf(error)));
  }

  /** Where a process of this machine ended, its end says more than its broken connection: it is told first. */
  async #connectionLost(worker: number): Promise<void> {
    await this.#processes?.ended(worker);
    this.#lose(worker, 'silent', 'lost its connection');
  }

  #lose(worker: number, reason: WorkerLossReason, cause: string): void {
    if (this.#closing || this.expectations.failed) return;
    this.options.metrics.countWorkerLoss(reason);
    const whatHappened = `${this.roster.describe(worker)} ${cause}`;
    if (this.#canBeReplaced(worker)) {
      this.roster.remove(this.roster.get(worker));
      this.options.log(`worker ${worker} ${whatHappened}; waiting for another in its place`);
      return;
    }
    this.roster.lose(worker);
    this.expectations.fail(new WorkerLost(worker, reason, whatHappened));
  }

  /** Before the shards are handed out, another worker may come; one of this machine's will not. */
  #canBeReplaced(worker: number): boolean {
    return this.options.external && this.#admission.workerOfShard.size === 0 && this.roster.has(worker);
  }

  /** Waits for workers; those who do not answer in time are lost. */
  #within(milliseconds: number, awaited: Deferred<void>, late: () => number[]): Promise<void> {
    return this.expectations.within(milliseconds, awaited, () => {
      for (const worker of late())
        this.#lose(worker, 'overdue', `did not answer for ${Math.round(milliseconds / 1000)} s`);
    });
  }
}

/** An address that listens everywhere, as another machine would name it. */
function reachable(address: string): string {
  return address.replace(/\/\/(0\.0\.0\.0|\[::\]|\*):/, `//${hostname()}:`);
}
