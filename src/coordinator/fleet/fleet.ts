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
import { hashOptions, type TrainingOptions } from '../../model/training-options.js';
import { bytesOf, chunkOffsets } from '../../wire/chunks.js';
import { CHUNK_BYTES, encode } from '../../wire/codec.js';
import { Listener, PeerGone, type Received } from '../../wire/listener.js';
import { Content, type Bodies, type BodyKind, type Header, type Message } from '../../wire/message.js';
import { Pull } from '../../wire/pull.js';
import { Rejection } from '../../wire/rejection.js';
import type { ComputeGroup, PhaseResult, StateSource, TakeBytes } from '../compute-group.js';
import type { WorkerLossReason } from '../metrics/labels.js';
import type { RunMetrics } from '../metrics/run-metrics.js';
import { ContentSource } from './content-source.js';
import { StepDeadline } from './deadline.js';
import { Expectations } from './expectations.js';
import { refuseHello, refuseReady } from './handshake.js';
import { LocalWorkers, type Placement } from './local-workers.js';
import { PhaseRound } from './phase-round.js';
import { Roster, type Member } from './roster.js';
import { assignShards } from './shard-assignment.js';
import { WorkerLost } from './worker-lost.js';

/** Where workers of this machine connect to: any free port. */
const LOCAL_ADDRESS = 'tcp://127.0.0.1:*';

/** How often it is looked whether every worker's connection still stands, in milliseconds. */
const LIVENESS_INTERVAL = 1_000;

/** How long a snapshot or a chunk of one may take, in milliseconds. */
const SNAPSHOT_TIMEOUT = 120_000;

/** How long engines may take to load, and states and images to arrive, in milliseconds. */
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

/** The workers of a run: brings them together, has them compute, sums what they send, in the order of the shards. */
export class Fleet implements ComputeGroup {
  readonly #run = randomUUID();
  readonly #generation = 1;
  readonly #roster: Roster;
  readonly #optionsJson: string;
  readonly #averaged: Record<Phase, Float32Array>;
  readonly #workerOfShard = new Map<number, number>();
  readonly #deadline = new StepDeadline();
  readonly #content: ContentSource;
  readonly #traffic = { sent: 0, received: 0 };
  #listener!: Listener;
  #processes: LocalWorkers | undefined;
  #liveness: NodeJS.Timeout | undefined;
  #closing = false;

  readonly #expectations = new Expectations();
  readonly #joined = this.#expectations.expect();
  /** What the training loop waits for at the moment: one thing at a time. */
  #round: { readonly round: PhaseRound; readonly done: Deferred<void> } | undefined;
  #snapshot:
    { readonly content: Content; readonly total: number; readonly taken: Deferred<void> } | undefined;
  #pull: { readonly content: Content; readonly pull: Pull } | undefined;

  private constructor(private readonly options: FleetOptions) {
    const layout = modelLayout(options.training);
    this.#roster = new Roster(options.workers, options.metrics);
    this.#content = new ContentSource(options.faces, options.sampler, options.from);
    this.#optionsJson = JSON.stringify(options.training);
    this.#averaged = {
      discriminator: new Float32Array(phaseLayout('discriminator', layout).length),
      generator: new Float32Array(phaseLayout('generator', layout).length),
    };
  }

  /** Resolves when every worker has its shards, and the state and images to begin with. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    try {
      await fleet.#open();
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
    return this.#roster.engine ?? this.options.engine;
  }

  async compute(phase: Phase, step: number): Promise<PhaseResult> {
    const round = new PhaseRound(phase, step, this.#workerOfShard, this.#averaged[phase]);
    const done = this.#expectations.expect();
    this.#round = { round, done };
    const started = performance.now();
    await this.#toAll(encode(this.#message('compute', {}, { phase, step })));
    await this.#within(this.#deadline.milliseconds, done, () => round.late);
    this.#round = undefined;
    this.#deadline.took(performance.now() - started);
    const seconds = [...round.secondsOfWorker];
    for (const [worker, spent] of seconds) this.options.metrics.setWorkerStepSeconds(String(worker), spent);
    return { averaged: round.mean(), computeSeconds: Math.max(...seconds.map(([, spent]) => spent)) };
  }

  async apply(phase: Phase, step: number, averaged: Float32Array): Promise<void> {
    const bytes = bytesOf(averaged);
    for (const { offset, length } of chunkOffsets(bytes.length)) {
      const payload = bytes.subarray(offset, offset + length);
      const chunk = { content: Content.AVERAGE, shard: 0, offset, total: bytes.length, payload };
      await this.#toAll(encode(this.#message('chunk', chunk, { phase, step })));
    }
  }

  async samples(): Promise<Float32Array> {
    const { imageSize } = this.options.training;
    const images = new Float32Array(SAMPLE_COUNT * imageSize ** 2 * IMAGE_CHANNELS);
    const bytes = bytesOf(images);
    await this.#fetchSnapshot(Content.SAMPLES, bytes.length, (payload, offset) => {
      bytes.set(payload, offset);
    });
    return images;
  }

  async saveState(take: TakeBytes): Promise<void> {
    const { length } = stateLayout(modelLayout(this.options.training));
    await this.#fetchSnapshot(Content.STATE, length * Float32Array.BYTES_PER_ELEMENT, take);
  }

  traffic(): { sent: number; received: number } {
    return { ...this.#traffic };
  }

  /** Tells the workers that the run is over, waits for those of this machine, and closes the socket. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#liveness);
    this.#expectations.fail(new Error('the fleet is closed'));
    const stop = this.#message('stop', { reason: 'the run is over' });
    const told = this.#roster.all().map(({ peer }) => this.#listener.send(peer, stop).catch(() => undefined));
    await Promise.all(told);
    // Who has not said hello yet cannot be told.
    if (this.#roster.all().length < this.options.workers) this.#processes?.kill();
    await this.#processes?.stopped();
    // Undefined where the address could not be listened at.
    await (this.#listener as Listener | undefined)?.close();
  }

  async #open(): Promise<void> {
    const { listen, external, workers, engine, placement, log, metrics } = this.options;
    this.#listener = await Listener.bind(listen ?? LOCAL_ADDRESS, {
      sent: (bytes) => {
        this.#traffic.sent += bytes;
        metrics.countWireBytes('sent', bytes);
      },
      received: (bytes) => {
        this.#traffic.received += bytes;
        metrics.countWireBytes('received', bytes);
      },
      rejected: (reason) => {
        metrics.countRejected(reason);
      },
    });
    void this.#readMessages();
    this.#liveness = setInterval(() => {
      void this.#probe();
    }, LIVENESS_INTERVAL);
    if (external) {
      log(
        `waiting for ${workers} worker${workers === 1 ? '' : 's'}: ` +
          `npm run worker -- --coordinator ${reachable(this.#listener.address)}`,
      );
      return;
    }
    this.#processes = new LocalWorkers({
      count: workers,
      coordinator: this.#listener.address,
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

  async #readMessages(): Promise<void> {
    try {
      for await (const received of this.#listener.messages()) this.#receive(received);
    } catch (error) {
      if (!this.#closing) this.#expectations.fail(asError(error));
    }
  }

  #receive({ peer, message }: Received): void {
    try {
      if (message.kind === 'hello') this.#welcome(peer, message.body);
      else this.#handle(this.#requireMember(peer, message), message);
    } catch (error) {
      if (error instanceof Rejection) this.options.metrics.countRejected(error.reason);
      else this.#expectations.fail(asError(error));
    }
  }

  #handle(member: Member, message: Message): void {
    switch (message.kind) {
      case 'ready':
        this.#admit(member, message.body);
        return;
      case 'prepared':
        member.state = 'ready';
        if (this.#roster.allAre('ready')) this.#joined.resolve();
        return;
      case 'chunk':
        if (message.body.content === Content.GRADIENT)
          this.#requireRound().addChunk(member.number, message, message.body);
        else this.#requirePull(message.body.content).receive(message.body);
        return;
      case 'shardDone': {
        const round = this.#requireRound();
        round.shardDone(member.number, message, message.body);
        if (round.complete) this.#round?.done.resolve();
        return;
      }
      case 'snapshotTaken':
        if (this.#snapshot?.content !== message.body.content || this.#snapshot.total !== message.body.total)
          throw new Rejection('unexpected', 'a snapshot that nobody asked for');
        this.#snapshot.taken.resolve();
        return;
      case 'fetch':
        void this.#answerFetch(member, message.body);
        return;
      case 'failure':
        this.#lose(member.number, 'exited', `cannot go on: ${message.body.reason}`);
        return;
      case 'hello':
      case 'welcome':
      case 'refusal':
      case 'assignment':
      case 'compute':
      case 'snapshot':
      case 'stop':
      case 'ping':
        throw new Rejection('unexpected', `${message.kind} is not for a coordinator`);
    }
  }

  #requireMember(peer: string, { run, generation }: Header): Member {
    const member = this.#roster.ofPeer(peer);
    if (!member) throw new Rejection('unknown_sender', 'a message from nobody of this run');
    if (run !== this.#run) throw new Rejection('wrong_run', `a message of run ${run}`);
    if (generation !== this.#generation)
      throw new Rejection('wrong_generation', `a message of generation ${generation}`);
    return member;
  }

  #requireRound(): PhaseRound {
    if (!this.#round) throw new Rejection('unexpected', 'a gradient that nobody asked for');
    return this.#round.round;
  }

  #requirePull(content: Content): Pull {
    if (this.#pull?.content !== content)
      throw new Rejection('unexpected', `a chunk of content ${content} that nobody asked for`);
    return this.#pull.pull;
  }

  /** Hello: numbers the worker and tells it what the run is. */
  #welcome(peer: string, hello: Bodies['hello']): void {
    const { faces, external } = this.options;
    const number = external ? this.#roster.freeNumber() : this.#processes?.numberOf(hello.pid);
    const place = number === undefined || this.#roster.has(number) ? undefined : number;
    const refusal = refuseHello(hello, place, external);
    if (place === undefined || refusal !== undefined) {
      this.#refuse(peer, refusal ?? 'there is no place for it');
      return;
    }
    this.#roster.add({ number: place, peer, host: hello.host, pid: hello.pid, state: 'joining' });
    void this.#send(place, peer, 'welcome', {
      worker: place,
      options: this.#optionsJson,
      optionsHash: hashOptions(this.#optionsJson),
      datasetFingerprint: faces.fingerprint,
      datasetCount: faces.count,
    });
  }

  /** Ready: compares what must be the same for all, and hands out the shards once everybody is here. */
  #admit(member: Member, ready: Bodies['ready']): void {
    const refusal = refuseReady(ready, {
      optionsHash: hashOptions(this.#optionsJson),
      datasetFingerprint: this.options.faces.fingerprint,
      engine: this.#roster.engine,
    });
    if (refusal !== undefined) {
      this.#refuse(member.peer, refusal);
      this.#roster.remove(member);
      // Another worker may come in its place; one of this machine's will not.
      if (!this.options.external)
        this.#expectations.fail(new Error(`worker ${member.number} was refused: ${refusal}`));
      else
        this.options.log(`refused worker ${member.number} (${member.host}, pid ${member.pid}): ${refusal}`);
      return;
    }
    this.#roster.engine ??= ready.engine;
    member.state = 'admitted';
    if (this.#roster.allAre('admitted')) this.#assignShards();
  }

  #assignShards(): void {
    const { training, from, firstStep } = this.options;
    assignShards(training.shards, this.workers).forEach((shards, worker) => {
      for (const shard of shards) this.#workerOfShard.set(shard, worker);
      const { peer } = this.#roster.get(worker);
      const assignment = { shards, fetchState: from !== undefined };
      void this.#send(worker, peer, 'assignment', assignment, { step: firstStep });
    });
  }

  #refuse(peer: string, reason: string): void {
    void this.#listener.send(peer, this.#message('refusal', { reason })).catch(() => undefined);
  }

  /** Has one worker keep a copy of something, and fetches it while the others wait for their next step. */
  async #fetchSnapshot(content: Content, total: number, take: TakeBytes): Promise<void> {
    const { number, peer } = this.#roster.get(0);
    const taken = this.#expectations.expect();
    this.#snapshot = { content, total, taken };
    await this.#send(number, peer, 'snapshot', { content });
    await this.#within(SNAPSHOT_TIMEOUT, taken, () => [0]);
    this.#snapshot = undefined;

    const arrived = this.#expectations.expect();
    const ask = (offset: number): Promise<void> =>
      this.#send(number, peer, 'fetch', { content, shard: 0, offset });
    const pull = new Pull(total, CHUNK_BYTES, ask, take);
    this.#pull = { content, pull };
    pull.start().then(arrived.resolve, arrived.reject);
    await this.#within(SNAPSHOT_TIMEOUT, arrived, () => [0]);
    this.#pull = undefined;
  }

  async #answerFetch({ number, peer }: Member, fetch: Bodies['fetch']): Promise<void> {
    try {
      await this.#send(number, peer, 'chunk', await this.#content.chunk(fetch));
    } catch (error) {
      if (error instanceof Rejection) this.options.metrics.countRejected(error.reason);
      else this.#expectations.fail(asError(error));
    }
  }

  #message<Kind extends BodyKind>(kind: Kind, body: Bodies[Kind], at: Partial<Header> = {}): Message {
    return {
      run: this.#run,
      generation: this.#generation,
      step: 0,
      phase: undefined,
      ...at,
      kind,
      body,
    } as Message;
  }

  async #send<Kind extends BodyKind>(
    worker: number,
    peer: string,
    kind: Kind,
    body: Bodies[Kind],
    at: Partial<Header> = {},
  ): Promise<void> {
    await this.#deliver(worker, peer, encode(this.#message(kind, body, at)));
  }

  async #toAll(bytes: Uint8Array): Promise<void> {
    await Promise.all(this.#roster.all().map(({ number, peer }) => this.#deliver(number, peer, bytes)));
  }

  /** A connection that is no more is a lost worker, not an error of the sender. */
  async #deliver(worker: number, peer: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#listener.sendEncoded(peer, bytes);
    } catch (error) {
      if (!(error instanceof PeerGone)) throw error;
      this.#lose(worker, 'silent', 'lost its connection');
    }
  }

  /** ZeroMQ's heartbeats end a dead connection; that nothing can be sent to it any more shows whose it was. */
  async #probe(): Promise<void> {
    if (!this.#closing) await this.#toAll(encode(this.#message('ping', {})));
  }

  #lose(worker: number, reason: WorkerLossReason, cause: string): void {
    if (this.#closing || this.#expectations.failed) return;
    this.options.metrics.countWorkerLoss(reason);
    this.#roster.lose(worker);
    this.#expectations.fail(new WorkerLost(worker, reason, `${this.#roster.describe(worker)} ${cause}`));
  }

  /** Waits for workers; those who do not answer in time are lost. */
  #within(milliseconds: number, awaited: Deferred<void>, late: () => number[]): Promise<void> {
    return this.#expectations.within(milliseconds, awaited, () => {
      for (const worker of late())
        this.#lose(worker, 'overdue', `did not answer for ${Math.round(milliseconds / 1000)} s`);
    });
  }

  /** Waits until everybody is ready, or the user no longer wants to. */
  async #gather(): Promise<void> {
    const { signal } = this.options;
    const onAbort = (): void => {
      this.#expectations.fail(new Interrupted('stopped before the first step'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#within(JOIN_TIMEOUT, this.#joined, () => this.#roster.missing());
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** An address that listens everywhere, as another machine would name it. */
function reachable(address: string): string {
  return address.replace(/\/\/(0\.0\.0\.0|\[::\]|\*):/, `//${hostname()}:`);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}
