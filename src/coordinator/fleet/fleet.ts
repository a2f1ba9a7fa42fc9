import type { MeanArray } from '../../averaging/mean-array.js';
import { hostname } from 'node:os';
import { Interrupted } from '../../common/errors.js';
import { shellQuote } from '../../common/shell-quote.js';
import type { Log } from '../../common/log.js';
import type { Faces, Sampler } from '../../data/index.js';
import type { EngineName } from '../../engine/engine.js';
import { IMAGE_CHANNELS } from '../../model/architecture.js';
import { modelLayout } from '../../model/layout.js';
import { SAMPLE_COUNT } from '../../model/noise.js';
import type { StepRange } from '../../model/local-steps.js';
import { updateNumber, type Phase } from '../../model/phase.js';
import { firstUpdate, vectorBytes, type RoundName } from '../../model/round.js';
import { stateLayout } from '../../model/state.js';
import type { TrainingOptions } from '../../model/training-options.js';
import { bytesOf } from '../../common/bytes.js';
import { CHUNK_BYTES } from '../../wire/codec.js';
import { Content } from '../../wire/message.js';
import { AddressSecret } from '../../wire/address-secret.js';
import type { OpenSegments } from '../../wire/segments/segments.js';
import { SocketFolder } from '../../wire/socket-folder.js';
import { heartbeatFor } from '../../wire/socket-options.js';
import type { StateCopy, StateSource } from '../../model/state-source.js';
import type { ComputeGroup, LocalOutcome, PhaseOutcome, Traffic } from '../executor.js';
import type { Fallback } from '../../options/fallback.js';
import type { Topology } from '../../averaging/topology.js';
import type { RunMetrics } from '../../monitoring/metrics/run-metrics.js';
import { trainByAverage, trainLocally, type Average, type Averager } from '../averaged-update.js';
import { GroupFormation } from './members/group-formation.js';
import { SnapshotRequests } from './state-transfer/snapshot-requests.js';
import { PendingReplies } from './pending-replies.js';
import type { FleetKeys } from './fleet-keys.js';
import { MessageDispatcher } from './message-dispatch.js';
import { LocalWorkers } from './local-workers/local-workers.js';
import { WorkerAdmission } from './members/admission.js';
import type { Placement } from './local-workers/placement.js';
import { WorkerChannel } from './worker-channel.js';
import { Quorum } from './members/quorum.js';
import { Recovery } from './members/recovery.js';
import { Reassignment } from './members/reassignment.js';
import { Roster, type Member } from './members/roster.js';
import { Rounds } from './rounds/rounds.js';
import { RouteLost, Routes } from './rounds/routes.js';
import { WorkerLost } from './worker-lost.js';

/** Messages that may wait for a worker besides the averages. */
const SMALL_MESSAGES_WAITING = 64;

export interface FleetOptions {
  readonly training: TrainingOptions;
  /** Workers at the start, at least and at most. */
  readonly workers: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly fallback: Fallback;
  readonly topology: Topology;
  /** Silence for so many milliseconds is a lost connection. */
  readonly liveness: number;
  /** The run's. */
  readonly id: string;
  /** Workers are started elsewhere and come to `listen`; otherwise here. */
  readonly external: boolean;
  /** True if external workers may end with this coordinator, because no other one will resume the run. */
  readonly isOver: () => boolean;
  readonly listen: string | undefined;
  /** For memory that workers of this machine share with this process. */
  readonly openSegments: OpenSegments;
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
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** The workers of a run: has them compute, and sums what they send in the order of the shards. */
export class Fleet implements ComputeGroup, Averager {
  readonly #replies = new PendingReplies();
  readonly #quorum: Quorum;
  readonly #rounds: Rounds;
  readonly #roster: Roster;
  readonly #recovery: Recovery;
  readonly #admission: WorkerAdmission;
  readonly #snapshots: SnapshotRequests;
  readonly #reassignment: Reassignment;
  readonly #routes: Routes;
  readonly #formation: GroupFormation;
  #local: LocalWorkers | undefined;
  #closing = false;

  private constructor(
    private readonly options: FleetOptions,
    private readonly parts: {
      readonly roster: Roster;
      readonly channel: WorkerChannel;
      /** Folder of the sockets of local workers. */
      readonly sockets: SocketFolder | undefined;
      /** For workers from elsewhere, if they have no keys. */
      readonly secret: AddressSecret | undefined;
    },
  ) {
    const { training, faces, sampler, from, firstStep, metrics, log, maxWorkers, liveness } = options;
    this.#roster = parts.roster;
    this.channel = parts.channel;
    this.#recovery = new Recovery(training.shards, updateNumber('discriminator', firstStep));
    const { roster, channel } = parts;
    const shared = { roster, channel, training, liveness, metrics, log, replies: this.#replies };
    this.#routes = new Routes({ ...shared, topology: options.topology });
    const local = (): LocalWorkers | undefined => this.#local;
    this.#quorum = new Quorum({ ...options, ...shared, recovery: this.#recovery, local });
    this.#admission = new WorkerAdmission({
      ...{ ...shared, dataset: faces, maxWorkers, recovery: this.#recovery, local },
      peers: this.#routes.mayBeAmongWorkers,
      secret: parts.secret?.secret,
      phaseTime: () => this.#rounds.phaseTime,
      onChange: () => {
        this.#quorum.changed();
      },
    });
    this.#rounds = new Rounds({
      ...shared,
      onLate: (workers, milliseconds) => {
        for (const worker of workers) this.#overdue(this.#roster.get(worker), milliseconds);
      },
    });
    this.#snapshots = new SnapshotRequests(
      this.channel,
      this.#replies,
      this.#roster,
      (member, milliseconds) => {
        this.#overdue(member, milliseconds);
      },
    );
    const average = (update: number): MeanArray => this.#rounds.averageOf(update);
    const held = { snapshots: this.#snapshots, routes: this.#routes };
    this.#reassignment = new Reassignment({ ...shared, ...held, faces, sampler, average }, from);
    this.#formation = new GroupFormation({
      ...{ ...shared, recovery: this.#recovery, quorum: this.#quorum, rounds: this.#rounds },
      ...{ routes: this.#routes, reassignment: this.#reassignment },
      onLate: (member, milliseconds) => {
        this.#overdue(member, milliseconds);
      },
    });
  }

  readonly channel: WorkerChannel;

  /** Resolves when every worker has its shards, and the state and images to begin with. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const { metrics, workers, listen, external, liveness, keys, training } = options;
    const roster = new Roster(workers, metrics);
    const sockets = external ? undefined : SocketFolder.make();
    const channel = await WorkerChannel.open({
      ...{ address: listen ?? defaultAddress(sockets), heartbeat: heartbeatFor(liveness) },
      ...{ run: options.id, roster, metrics },
      ...{ openSegments: options.openSegments, room: vectorBytes(training) },
      ...{ security: keys?.security, sendHighWaterMark: messagesWaiting(training) },
      onGone: (member) => {
        void fleet.#connectionLost(member);
      },
    });
    let secret: AddressSecret | undefined;
    let fleet: Fleet;
    try {
      if (external && !keys) secret = AddressSecret.offer(channel.address);
      fleet = new Fleet(options, { roster, channel, sockets, secret });
    } catch (error) {
      await channel.close();
      throw error;
    }
    try {
      void fleet.#dispatcher().read();
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
    return this.#formation.group.length;
  }

  get engine(): string {
    return this.#roster.engine ?? this.options.engine;
  }

  train<P extends Phase>(phase: P, step: number): Promise<PhaseOutcome<P>> {
    return trainByAverage(this, phase, step);
  }

  trainLocally(steps: StepRange): Promise<LocalOutcome> {
    return trainLocally(this, steps, this.options.training.localSteps ?? 1);
  }

  /**
   * When this has resolved, the whole average is on its way to the workers. Where one is lost, the phase is computed
   * again by those that are left. Rejects with StateLost or WorkersGone.
   */
  async compute(phase: RoundName, step: number, inspect: boolean, firstStep = step): Promise<Average> {
    if (this.#recovery.version !== firstUpdate(phase, firstStep))
      throw new Error(`update ${this.#recovery.version} comes next, not round ${phase} of step ${firstStep}`);
    return this.#withWorkers(async () => {
      // A worker may leave between its end and this.
      while (!this.#formation.isComplete) await this.#formation.complete();
      return this.#formation.compute({ phase, firstStep, step, inspect });
    });
  }

  async apply(phase: RoundName, step: number): Promise<void> {
    this.#admission.begun();
    if (phase !== 'discriminator') this.#admission.served(this.#formation.group);
    await this.#formation.apply(phase, step);
  }

  async samples(): Promise<Float32Array> {
    const { imageSize } = this.options.training;
    const images = new Float32Array(SAMPLE_COUNT * imageSize ** 2 * IMAGE_CHANNELS);
    const bytes = bytesOf(images);
    await this.#withWorkers(async () => {
      const { copy, release } = await this.#snapshots.take({
        member: await this.#holder(),
        content: Content.SAMPLES,
        total: bytes.length,
      });
      try {
        await this.#snapshots.read(copy, (payload, offset) => {
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
    return this.#withWorkers(async () => {
      return this.#snapshots.takeState({ member: await this.#holder(), content: Content.STATE, total });
    });
  }

  restart(from: StateSource | undefined, firstStep: number): Promise<void> {
    this.#reassignment.rewind(from);
    this.#recovery.rewind(updateNumber('discriminator', firstStep));
    return Promise.resolve();
  }

  traffic(): Traffic {
    return { ...this.channel.traffic, amongWorkers: this.#rounds.bytesAmongWorkers };
  }

  /**
   * Tells the workers that the run is over, waits for local ones, and closes the socket. If another coordinator will
   * resume the run, external workers are not told: they wait for it.
   */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#admission.stop();
    this.#replies.fail(new Error('the fleet is closed'));
    if (!this.options.external || this.options.isOver())
      await this.channel.toAll(this.#roster.all(), 'stop', { reason: 'the run is over' });
    // Who has not said hello yet cannot be told.
    if (this.#roster.all().length < this.options.workers) this.#local?.killAll();
    await this.#local?.stopped();
    await this.channel.close();
    this.parts.sockets?.remove();
    this.parts.secret?.withdraw();
  }

  /** Starts the workers of this machine, or says where others have to come to. */
  #callWorkers(): void {
    const { external, workers, engine, keys, placement, liveness, log } = this.options;
    if (external) {
      const address = reachable(this.channel.address);
      log(
        `waiting for ${workers} worker${workers === 1 ? '' : 's'}: npm run worker -- --coordinator ${shellQuote(address)}${keys ? ' --keys DIR' : ''}`,
      );
      return;
    }
    this.#local = new LocalWorkers({
      ...{ placement, liveness, sockets: this.parts.sockets?.path },
      arguments: ['--coordinator', this.channel.address, '--engine', engine, ...(keys?.localArguments ?? [])],
      onLine: (worker, line) => {
        log(`worker ${worker}: ${line}`, { worker });
      },
      onEnd: (worker, cause, pause) => {
        if (!this.#closing) this.#admission.ended(worker, cause, pause);
      },
    });
  }

  /** Waits until all workers are ready for the first step. Rejects with Interrupted if the user stops the run. */
  async #gather(): Promise<void> {
    const { signal } = this.options;
    const onAbort = (): void => {
      this.#replies.fail(new Interrupted('stopped before the first step'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#withWorkers(() => this.#formation.complete());
      this.#quorum.begun();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Does something again, with other workers or on another way, as long as one is lost meanwhile. */
  async #withWorkers<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof WorkerLost || error instanceof RouteLost)) throw error;
      }
    }
  }

  /** A worker that holds what the run has come to. */
  async #holder(): Promise<Member> {
    for (;;) {
      const member = this.#recovery
        .holders()
        .map((worker) => this.#roster.get(worker))
        .find((each) => each !== undefined);
      if (member) return member;
      await this.#formation.complete();
    }
  }

  #dispatcher(): MessageDispatcher {
    return new MessageDispatcher({
      ...{
        channel: this.channel,
        roster: this.#roster,
        recovery: this.#recovery,
        metrics: this.options.metrics,
      },
      ...{
        admission: this.#admission,
        rounds: this.#rounds,
        snapshots: this.#snapshots,
        reassignment: this.#reassignment,
      },
      replies: this.#replies,
      onPrepared: () => {
        this.#formation.prepared();
      },
      onUnreachable: (member, unreachable) => {
        // Who is lost here too is missed already: another generation begins anyway.
        if (!this.#recovery.isGrouped(unreachable.worker)) return;
        this.#recovery.scatter();
        this.#formation.routeLost(this.#routes.unreachable(member, unreachable));
      },
    });
  }

  /**
   * Why it goes says more than its broken connection: what it sent last, or how a process of this machine ended, is told
   * first.
   */
  async #connectionLost(member: Member): Promise<void> {
    await this.channel.lastWords();
    await this.#local?.ended(member.number);
    if (!this.#closing) this.#admission.disconnected(member);
  }

  #overdue(member: Member | undefined, milliseconds: number): void {
    if (member)
      this.#admission.lose(member, 'overdue', `did not answer for ${Math.round(milliseconds / 1000)} s`);
  }
}

/**
 * Averages that may be in transit to a worker: the last phase's, the next one's, and one of a repeated phase. A
 * worker that has not received as many is stuck.
 */
function messagesWaiting(training: TrainingOptions): number {
  return 3 * Math.ceil(vectorBytes(training) / CHUNK_BYTES) + SMALL_MESSAGES_WAITING;
}

/** The run's own workers connect in a folder of their user; those from elsewhere need an address that can be typed. */
function defaultAddress(sockets: SocketFolder | undefined): string {
  return sockets ? SocketFolder.addressIn(sockets.path) : 'tcp://127.0.0.1:*';
}

/** An address that listens everywhere, as another machine would name it. */
function reachable(address: string): string {
  return address.replace(/\/\/(0\.0\.0\.0|\[::\]|\*):/, `//${hostname()}:`);
}
