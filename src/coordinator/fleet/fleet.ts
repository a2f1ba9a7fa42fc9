import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Interrupted, messageOf } from '../../common/errors.js';
import type { Faces, Sampler } from '../../data/index.js';
import type { EngineName } from '../../engine/engine.js';
import { IMAGE_CHANNELS } from '../../model/architecture.js';
import { modelLayout } from '../../model/layout.js';
import { SAMPLE_COUNT } from '../../model/noise.js';
import { phaseLayout, PHASES, updateAt, updateNumber, type Phase } from '../../model/phase.js';
import { stateLayout } from '../../model/state.js';
import type { TrainingOptions } from '../../model/training-options.js';
import { bytesOf } from '../../wire/chunks.js';
import { CHUNK_BYTES } from '../../wire/codec.js';
import type { Received } from '../../wire/listener.js';
import { Content, type Message, type MessageOf } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import { heartbeatFor } from '../../wire/socket-options.js';
import {
  CopyLost,
  WorkersGone,
  type ComputeGroup,
  type PhaseOutcome,
  type StateCopy,
  type StateSource,
} from '../compute-group.js';
import type { Fallback } from '../fallback.js';
import type { RunMetrics } from '../metrics/run-metrics.js';
import { trainByAverage, type Average, type Averager } from '../train-by-average.js';
import { Averages } from './averages.js';
import { Copies } from './copies.js';
import { StepDeadline } from './deadline.js';
import { Expectations } from './expectations.js';
import type { FleetKeys } from './fleet-keys.js';
import { LocalWorkers } from './local-workers.js';
import { Membership } from './membership.js';
import { PhaseRound } from './phase-round.js';
import type { Placement } from './placement.js';
import { Post } from './post.js';
import { Recovery } from './recovery.js';
import { Regroup } from './regroup.js';
import { Roster, type Member } from './roster.js';
import { WorkerLost } from './worker-lost.js';

/** Where workers of this machine connect to: any free port. */
const LOCAL_ADDRESS = 'tcp://127.0.0.1:*';

/** Messages that may wait for a worker besides the averages. */
const SMALL_MESSAGES_WAITING = 64;

/** How long workers may take to come, and how long a membership to begin, in milliseconds. */
const JOIN_TIMEOUT = 600_000;

/** How long a run that has no worker at all waits for one to come back, in milliseconds, before it does without. */
const ABSENCE_TIMEOUT = 60_000;

/** The longest time that a timer takes, in milliseconds: 24 days. */
const FOREVER = 2 ** 31 - 1;

export interface FleetOptions {
  readonly training: TrainingOptions;
  /** How many the run begins with, goes on with at least, and takes at most. */
  readonly workers: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly fallback: Fallback;
  /** Silence for so many milliseconds is a lost connection. */
  readonly liveness: number;
  /** Workers are started elsewhere and come to `listen`; otherwise here. */
  readonly external: boolean;
  readonly listen: string | undefined;
  /** Undefined: no encryption, which an address beyond this machine does not have. */
  readonly keys: FleetKeys | undefined;
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
  readonly #expectations = new Expectations();
  readonly #averages: Averages;
  readonly #deadline: StepDeadline;
  readonly #roster: Roster;
  readonly #recovery: Recovery;
  readonly #membership: Membership;
  readonly #copies: Copies;
  readonly #regroup: Regroup;
  #local: LocalWorkers | undefined;
  #closing = false;
  #begun = false;
  /** The phase that is being computed. */
  #round: PhaseRound | undefined;
  /** Ends the wait for what is under way: a membership, or a round. */
  #onProgress = (): void => undefined;
  /** Ends the wait for workers to come or go. */
  #onChange = (): void => undefined;

  private constructor(
    private readonly options: FleetOptions,
    parts: { readonly roster: Roster; readonly post: Post },
  ) {
    const { training, faces, sampler, from, firstStep, metrics, log, maxWorkers, liveness } = options;
    this.#roster = parts.roster;
    this.post = parts.post;
    this.#averages = new Averages(training);
    this.#deadline = new StepDeadline(liveness);
    this.#recovery = new Recovery(training.shards, updateNumber('discriminator', firstStep));
    this.#membership = new Membership({
      ...{ training, dataset: faces, maxWorkers, liveness, metrics, log, ...parts },
      ...{ recovery: this.#recovery, expectations: this.#expectations, local: () => this.#local },
      onChange: () => {
        this.#onChange();
      },
    });
    this.#copies = new Copies(this.post, this.#expectations, (member, milliseconds) => {
      this.#overdue(member, milliseconds);
    });
    const average = (update: number): Float32Array => this.#averages.current(updateAt(update).phase);
    this.#regroup = new Regroup({ training, faces, sampler, ...parts, copies: this.#copies, average }, from);
  }

  readonly post: Post;

  /** Resolves when every worker has its shards, and the state and images to begin with. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const { metrics, workers, listen, liveness, keys, training } = options;
    const roster = new Roster(workers, metrics);
    const post = await Post.open({
      ...{ address: listen ?? LOCAL_ADDRESS, heartbeat: heartbeatFor(liveness) },
      ...{ run: randomUUID(), roster, metrics },
      ...{ security: keys?.security, sendHighWaterMark: messagesWaiting(training) },
      onGone: (member) => {
        void fleet.#connectionLost(member);
      },
    });
    const fleet = new Fleet(options, { roster, post });
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

  /** Those that take part now. */
  get workers(): number {
    return this.#group().length;
  }

  get engine(): string {
    return this.#roster.engine ?? this.options.engine;
  }

  train<P extends Phase>(phase: P, step: number): Promise<PhaseOutcome<P>> {
    return trainByAverage(this, phase, step);
  }

  /**
   * When this has resolved, the whole average is on its way to the workers. Where one is lost, the phase is computed
   * again by those that are left. Rejects with StateLost or WorkersGone.
   */
  async compute(phase: Phase, step: number, inspect: boolean): Promise<Average> {
    if (this.#recovery.update !== updateNumber(phase, step))
      throw new Error(`update ${this.#recovery.update} comes next, not the ${phase}'s of step ${step}`);
    return this.#withWorkers(async () => {
      await this.#assemble();
      return this.#compute(phase, step, inspect);
    });
  }

  async apply(phase: Phase, step: number): Promise<void> {
    const group = this.#group();
    this.#averages.applied(phase);
    this.#recovery.updated();
    this.#membership.begun();
    if (phase === 'generator') this.#membership.served(group);
    await this.post.toAll(group, 'apply', {}, { phase, step });
  }

  async samples(): Promise<Float32Array> {
    const { imageSize } = this.options.training;
    const images = new Float32Array(SAMPLE_COUNT * imageSize ** 2 * IMAGE_CHANNELS);
    const bytes = bytesOf(images);
    await this.#withWorkers(async () => {
      const { copy, release } = await this.#copies.take(await this.#holder(), Content.SAMPLES, bytes.length);
      try {
        await this.#copies.read(copy, (payload, offset) => {
          bytes.set(payload, offset);
        });
      } finally {
        release();
      }
    });
    return images;
  }

  async copyState(): Promise<StateCopy> {
    const total = stateLayout(modelLayout(this.options.training)).length * Float32Array.BYTES_PER_ELEMENT;
    const { copy, release } = await this.#withWorkers(async () =>
      this.#copies.take(await this.#holder(), Content.STATE, total),
    );
    return {
      read: async (take) => {
        try {
          await this.#copies.read(copy, take);
        } catch (error) {
          throw error instanceof WorkerLost ? new CopyLost(error.message) : error;
        } finally {
          release();
        }
      },
    };
  }

  restart(from: StateSource | undefined, firstStep: number): Promise<void> {
    this.#regroup.rewind(from);
    this.#recovery.rewind(updateNumber('discriminator', firstStep));
    return Promise.resolve();
  }

  traffic(): { readonly sent: number; readonly received: number } {
    return this.post.traffic;
  }

  /** Tells the workers that the run is over, waits for those of this machine, and closes the socket. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#membership.stop();
    this.#expectations.fail(new Error('the fleet is closed'));
    await this.post.toAll(this.#roster.all(), 'stop', { reason: 'the run is over' });
    // Who has not said hello yet cannot be told.
    if (this.#roster.all().length < this.options.workers) this.#local?.killAll();
    await this.#local?.stopped();
    await this.post.close();
  }

  /** Starts the workers of this machine, or says where others have to come to. */
  #callWorkers(): void {
    const { external, workers, engine, keys, placement, log } = this.options;
    if (external) {
      const address = reachable(this.post.address);
      log(
        `waiting for ${workers} worker${workers === 1 ? '' : 's'}: npm run worker -- --coordinator ${address}${keys ? ' --keys DIR' : ''}`,
      );
      return;
    }
    this.#local = new LocalWorkers({
      placement,
      arguments: ['--coordinator', this.post.address, '--engine', engine, ...(keys?.localArguments ?? [])],
      onLine: (worker, line) => {
        log(`worker ${worker}: ${line}`);
      },
      onEnd: (worker, cause, pause) => {
        if (!this.#closing) this.#membership.ended(worker, cause, pause);
      },
    });
  }

  /** Waits until everybody is ready for the first step, or the user no longer wants to. */
  async #gather(): Promise<void> {
    const { signal } = this.options;
    const onAbort = (): void => {
      this.#expectations.fail(new Interrupted('stopped before the first step'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#withWorkers(() => this.#assemble());
      this.#begun = true;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Those that have shards. */
  #group(): Member[] {
    return this.#roster.all().filter(({ number }) => this.#recovery.isGrouped(number));
  }

  /** Does something again, with other workers, as long as one is lost on the way. */
  async #withWorkers<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof WorkerLost)) throw error;
      }
    }
  }

  /** A worker that holds the state of the next update. */
  async #holder(): Promise<Member> {
    for (;;) {
      const member = this.#recovery
        .holders()
        .map((worker) => this.#roster.get(worker))
        .find((each) => each !== undefined);
      if (member) return member;
      await this.#assemble();
    }
  }

  /** Resolves when enough workers are in one membership, each with its shards and the state. */
  async #assemble(): Promise<void> {
    const { recovery, roster } = { recovery: this.#recovery, roster: this.#roster };
    while (!recovery.ready || recovery.size < this.#needed()) {
      await this.#enough();
      const plan = recovery.regroup();
      const inPlan = new Set(plan.assignments.map(({ worker }) => worker));
      const prepared = this.#expectations.expect((worker) => inPlan.has(worker));
      this.#onProgress = () => {
        // Who comes meanwhile is for the next membership.
        if ([...inPlan].every((worker) => recovery.isPrepared(worker))) prepared.resolve();
      };
      await this.#regroup.carryOut(plan, recovery.update);
      await this.#expectations.within(JOIN_TIMEOUT, prepared, () => {
        for (const worker of inPlan)
          if (!recovery.isPrepared(worker)) this.#overdue(roster.get(worker), JOIN_TIMEOUT);
      });
      this.#regroup.end();
    }
  }

  /** Waits for as many workers as the run needs. */
  async #enough(): Promise<void> {
    const started = performance.now();
    for (;;) {
      const needed = this.#needed();
      if (this.#recovery.size >= needed) return;
      const { log } = this.options;
      if (this.#local && this.#local.remaining < Math.max(1, this.options.minWorkers))
        throw new WorkersGone(`${this.#local.remaining} of the run's workers are left`);
      if (this.#begun) log(`waiting for workers: ${this.#recovery.size} of ${needed} are here`);
      const left = this.#patience() - (performance.now() - started);
      await this.#change(left, () => {
        const seconds = Math.round((performance.now() - started) / 1000);
        return new WorkersGone(`${this.#recovery.size} of ${needed} workers came in ${seconds} s`);
      });
    }
  }

  /** Waits until a worker comes or goes, for so many milliseconds at most, or the user no longer wants to. */
  async #change(milliseconds: number, late: () => Error): Promise<void> {
    const { signal } = this.options;
    const changed = this.#expectations.expect();
    this.#onChange = changed.resolve;
    const onAbort = (): void => {
      changed.reject(new Interrupted('stopped while it waited for workers'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#expectations.within(Math.max(0, milliseconds), changed, () => {
        changed.reject(late());
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** To begin, all that are asked for and can come; to go on, the least. */
  #needed(): number {
    const { workers, minWorkers } = this.options;
    return this.#begun
      ? minWorkers
      : Math.max(minWorkers, Math.min(workers, this.#local?.remaining ?? workers));
  }

  #patience(): number {
    const { fallback } = this.options;
    if (!this.#begun || this.#local) return JOIN_TIMEOUT;
    if (fallback === 'wait') return FOREVER;
    return this.#recovery.size === 0 ? ABSENCE_TIMEOUT : JOIN_TIMEOUT;
  }

  async #compute(phase: Phase, step: number, inspect: boolean): Promise<Average> {
    const group = this.#group();
    const { metrics, training } = this.options;
    const { gradient } = phaseLayout(phase, modelLayout(training));
    const workerOfShard = this.#recovery.workerOfShard();
    const into = this.#averages.next(phase);
    const round = new PhaseRound(phase, step, workerOfShard, into, gradient.end, inspect);
    const done = this.#expectations.expect((worker) => group.some(({ number }) => number === worker));
    this.#round = round;
    this.#onProgress = () => {
      if (round.complete) done.resolve();
    };
    const started = performance.now();
    try {
      await this.post.toAll(group, 'compute', {}, { phase, step });
      const limit = this.#deadline.milliseconds;
      await this.#expectations.within(limit, done, () => {
        for (const worker of round.late) this.#overdue(this.#roster.get(worker), limit);
      });
    } finally {
      this.#round = undefined;
    }
    this.#deadline.took(performance.now() - started);
    const seconds = [...round.secondsOfWorker];
    for (const [worker, spent] of seconds) metrics.setWorkerStepSeconds(String(worker), spent);
    const computeSeconds = Math.max(...seconds.map(([, spent]) => spent));
    const { notFinite } = round;
    return { vector: round.mean(), gradientNorm: round.gradientNorm(), computeSeconds, notFinite };
  }

  async #readMessages(): Promise<void> {
    try {
      for await (const received of this.post.messages()) this.#receive(received);
    } catch (error) {
      this.#expectations.fail(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #receive({ peer, number, message }: Received): void {
    const member = this.#roster.ofPeer(peer);
    if (!message) {
      if (member) this.#membership.lose(member, 'garbled', 'sent what is no message');
      return;
    }
    this.#settle(member, () => {
      if (message.kind === 'hello') return this.#membership.hello(peer, number, message.body);
      if (!member) throw new Rejection('unknown_sender', 'a message from nobody of this run');
      member.sequence.require(number);
      this.#membership.heard(member);
      this.post.requireOurs(message, this.#recovery.generation);
      return this.#handle(member, message);
    });
  }

  #handle(member: Member, message: Message): Promise<void> | undefined {
    switch (message.kind) {
      case 'ready':
        this.#membership.ready(member, message);
        return;
      case 'prepared':
        this.#recovery.prepared(member.number);
        this.#onProgress();
        return;
      case 'chunk':
        if (message.body.content === Content.GRADIENT) return this.#addGradient(member, message);
        this.#copies.chunk(member, message.body);
        return;
      case 'shardDone':
        this.#currentRound().shardDone(member.number, message, message.body);
        this.#onProgress();
        return;
      case 'snapshotTaken':
        this.#copies.taken(member, message.body);
        return;
      case 'fetch':
        return this.#regroup.fetch(member, message.body);
      case 'failure':
        this.#membership.lose(member, 'exited', `cannot go on: ${message.body.reason}`);
        return;
      case 'ping':
        return;
      case 'hello':
      case 'welcome':
      case 'refusal':
      case 'assignment':
      case 'compute':
      case 'apply':
      case 'snapshot':
      case 'stop':
        throw new Rejection('unexpected', `${message.kind} is not for a coordinator`);
    }
  }

  /** Sums a part of a shard's gradient; where it was the last one, that part of the average goes out at once. */
  #addGradient(member: Member, message: MessageOf<'chunk'>): Promise<void> | undefined {
    const round = this.#currentRound();
    const { offset, total, payload } = message.body;
    if (!round.addChunk(member.number, message, message.body)) return;
    const { phase, step } = round;
    // Nothing is copied: what is summed next into this array is of gradients that every worker computes when it has
    // this average, or goes into another array.
    const part = bytesOf(this.#averages.current(phase)).subarray(offset, offset + payload.length);
    const chunk = { content: Content.AVERAGE, shard: 0, offset, total, request: 0, payload: part };
    return this.post.toAll(this.#group(), 'chunk', chunk, { phase, step });
  }

  /** Between rounds there may be what is left of one that was given up. */
  #currentRound(): PhaseRound {
    if (!this.#round) throw new Rejection('wrong_generation', 'a gradient that is not waited for any more');
    return this.#round;
  }

  /**
   * Does what a message asks for while the next ones are read. A message that is not as it must be costs its sender:
   * a connection that garbled one cannot be trusted with the rest. Anything else ends the run.
   */
  #settle(member: Member | undefined, work: () => Promise<void> | undefined): void {
    const refuse = (error: unknown): void => {
      if (!(error instanceof Rejection)) {
        this.#expectations.fail(error instanceof Error ? error : new Error(messageOf(error)));
        return;
      }
      this.options.metrics.countRejected(error.reason);
      if (member && error.reason !== 'wrong_generation')
        this.#membership.lose(member, 'garbled', `sent what it cannot have meant: ${error.message}`);
    };
    try {
      work()?.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }

  /** Where a process of this machine ended, its end says more than its broken connection: it is told first. */
  async #connectionLost(member: Member): Promise<void> {
    await this.#local?.ended(member.number);
    if (!this.#closing) this.#membership.lose(member, 'silent', 'lost its connection');
  }

  #overdue(member: Member | undefined, milliseconds: number): void {
    if (member)
      this.#membership.lose(member, 'overdue', `did not answer for ${Math.round(milliseconds / 1000)} s`);
  }
}

/**
 * Averages may still be on their way to a worker when the next phase's is sent, and one more where a phase is done
 * again; who has not taken as many is stuck.
 */
function messagesWaiting(training: TrainingOptions): number {
  const chunks = PHASES.map((phase) => {
    const { length } = phaseLayout(phase, modelLayout(training));
    return Math.ceil((length * Float32Array.BYTES_PER_ELEMENT) / CHUNK_BYTES);
  });
  return 3 * Math.max(...chunks) + SMALL_MESSAGES_WAITING;
}

/** An address that listens everywhere, as another machine would name it. */
function reachable(address: string): string {
  return address.replace(/\/\/(0\.0\.0\.0|\[::\]|\*):/, `//${hostname()}:`);
}
