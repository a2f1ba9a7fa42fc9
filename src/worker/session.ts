import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { afterAwake, inAwakeTime } from '../common/process/awake.js';
import { Deferred } from '../common/deferred.js';
import { messageOf, UserError } from '../common/errors.js';
import { addLogContext } from '../common/log.js';
import { updateAt } from '../model/phase.js';
import { lastUpdate, vectorBytes, type RoundName } from '../model/round.js';
import { hashOptions, type TrainingOptions } from '../model/training-options.js';
import { PROTOCOL_VERSION } from '../wire/codec.js';
import { Link } from '../wire/link.js';
import { Liveness } from '../wire/liveness.js';
import { isOfOneGeneration } from '../wire/generation.js';
import {
  Content,
  type Bodies,
  type BodyKind,
  type Header,
  type Message,
  type MessageOf,
} from '../wire/message.js';
import { Rejection } from '../wire/rejection.js';
import { chunkFor, chunkOf } from '../wire/segments/shared-chunk.js';
import type { OpenSegments, Segments } from '../wire/segments/segments.js';
import type { LinkSecurity } from '../wire/security.js';
import { heartbeatFor } from '../wire/socket-options.js';
import { tellable } from '../wire/text.js';
import { type TrafficObserver } from '../wire/traffic.js';
import { ShardHost } from './shard-host.js';
import type { RunLoader } from './run-context.js';
import { PeerAveraging } from './peers/peer-averaging.js';
import { PeerSockets } from './peers/peer-sockets.js';
import { SessionLost, Refused } from './session-lost.js';

/** Room for so many of a round's vectors is shared: a shard's or partial sums, and the mean. More goes by message. */
const VECTORS_SHARED = 3;

const STRANGER: Header = { run: '', generation: 0, step: 0, phase: undefined };

/** Identity of this process on a new connection. */
const THIS_PROCESS = randomUUID();

/** Milliseconds to read messages that have arrived. */
const LAST_WORDS_TIME = 1_000;

/** Milliseconds that a connected coordinator has to answer a hello. */
const WELCOME_TIMEOUT = 10_000;

/** Milliseconds that a running computation has to end after the connection ended. */
const SETTLE_TIMEOUT = 120_000;

/** Address and keys of a session. */
export interface WorkerSessionOptions {
  /** Address of the coordinator. */
  readonly address: string;
  /** True if the address requires IPv6. */
  readonly ipv6: boolean;
  readonly loader: RunLoader;
  readonly security: LinkSecurity | undefined;
  /** Returns the secret that authenticates this worker, see Hello. Called once connected. */
  readonly secret: () => string;
  /** The folder for sockets that workers of this machine connect to; undefined: they use tcp. */
  readonly sockets: string | undefined;
  /** The port to listen at for other workers; 0: any free one. */
  readonly peerPort: number;
  readonly openSegments: OpenSegments;
}

/**
 * A worker's side of the protocol over one connection: hello, ready, then whatever the coordinator asks for, in the
 * order it asks. Messages are read as they come; what takes long is queued, so that chunks and the end of the run are
 * never held up.
 */
export class WorkerSession {
  readonly #link: Link;
  readonly #over = new Deferred<void>();
  /** Requests so far, executed in order. */
  #work: Promise<void> = Promise.resolve();
  #header = STRANGER;
  #host: ShardHost | undefined;
  #segments: Segments | undefined;
  #coordinatorSegment = '';
  #liveness: Liveness | undefined;
  #heard = 0;
  #connected = false;
  /** Cancels the wait for the welcome, or for the last words of a coordinator that is gone. */
  #cancel = (): void => undefined;
  #closed = false;

  constructor(private readonly options: WorkerSessionOptions) {
    const { address, ipv6, security } = options;
    const ignore = (): void => undefined;
    const traffic: TrafficObserver = {
      sent: ignore,
      received: ignore,
      rejected: (reason, message) => {
        this.#lose(`a message of the coordinator was garbled (${reason}: ${message})`);
      },
    };
    const onEvent = (event: 'connected' | 'disconnected'): void => {
      if (this.#closed) return;
      if (event === 'connected') this.#greet();
      else if (this.#connected) this.#missCoordinator();
    };
    this.#link = Link.connect(address, traffic, onEvent, {
      ipv6,
      security,
      onRefused: this.#over.reject,
    });
  }

  /** True if the coordinator has admitted this worker. */
  get welcomed(): boolean {
    return this.#header !== STRANGER;
  }

  /**
   * Resolves when the coordinator ends the run. Rejects with SessionLost where the worker should connect again: it
   * keeps its state, and waits for a welcome for so many milliseconds.
   */
  async run(deadline: number): Promise<void> {
    const cancel = afterAwake(deadline, () => {
      if (!this.welcomed) this.#lose('nobody answers');
    });
    try {
      void this.#readMessages();
      await this.#over.promise;
    } finally {
      cancel();
      await this.#close();
    }
  }

  /** Reports the reason to the coordinator, if it is still connected, and ends. */
  leave(reason: string): void {
    void this.#send('failure', { reason }).catch(() => undefined);
    this.#lose(reason);
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    this.#liveness?.stop();
    await this.#host?.close();
    await this.#link.close();
    this.#segments?.close();
    const isSettled = await inAwakeTime(SETTLE_TIMEOUT, this.#work);
    if (!isSettled) throw new Error('the compute thread does not answer any more');
  }

  #greet(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#cancel = afterAwake(WELCOME_TIMEOUT, () => {
      if (!this.welcomed) this.#lose('it does not answer a hello');
    });
    const facts = { host: hostname(), pid: process.pid, process: THIS_PROCESS };
    const hello = { protocol: PROTOCOL_VERSION, ...facts, secret: this.options.secret() };
    void this.#send('hello', hello).catch(() => undefined);
  }

  /** Waits for the coordinator's last messages, which may be read after the end of the connection was reported. */
  #missCoordinator(): void {
    this.#cancel();
    this.#cancel = afterAwake(LAST_WORDS_TIME, () => {
      this.#lose('its connection is gone');
    });
  }

  async #readMessages(): Promise<void> {
    try {
      for await (const message of this.#link.messages()) this.#receive(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A connection that garbled one message cannot be trusted with the rest. */
  #receive(message: Message): void {
    // What still comes while the socket is being closed would begin something that nobody ends.
    if (this.#closed) return;
    this.#heard = performance.now();
    try {
      this.#handle(message);
    } catch (error) {
      if (!(error instanceof Rejection)) this.#fail(error);
      else if (error.reason !== 'wrong_generation')
        this.#lose(`a message of the coordinator cannot be meant (${error.message})`);
    }
  }

  #handle(message: Message): void {
    if (message.kind !== 'welcome' && message.kind !== 'refusal') this.#requireOurs(message);
    switch (message.kind) {
      case 'welcome':
        if (this.welcomed) throw new Rejection('unexpected', 'a second welcome');
        this.#header = { run: message.run, generation: message.generation, step: 0, phase: undefined };
        addLogContext({ run: message.run, worker: message.body.worker });
        this.#keepAlive(message.body.liveness);
        this.#enqueue(() => this.#join(message));
        return;
      case 'refusal': {
        const { reason, retry } = message.body;
        this.#over.reject(
          retry ? new Refused(reason) : new UserError(`the coordinator refused this worker: ${reason}`),
        );
        return;
      }
      case 'assignment': {
        const host = this.#requireHost();
        const { body, generation, step } = message;
        this.#header = { ...this.#header, generation };
        host.begin(generation);
        // What was under way for the generation before is given up, and nothing lies in a segment that is needed.
        this.#segments?.readOnly([
          this.#coordinatorSegment,
          ...body.neighbours.map(({ segment }) => segment ?? ''),
        ]);
        const update = lastUpdate(requirePhase(message), step);
        this.#enqueue(() => host.assign(body, generation, update));
        return;
      }
      case 'compute': {
        const host = this.#requireHost();
        const phase = requirePhase(message);
        host.expectAverage();
        const { step, generation, body } = message;
        const { collect, steps } = body;
        this.#enqueue(() => host.compute({ phase, step, steps, generation, collect }));
        return;
      }
      case 'snapshot':
        this.#enqueue(() => this.#requireHost().takeSnapshot(message.body));
        return;
      case 'chunk':
        this.#requireHost().receiveChunk(message);
        return;
      case 'sharedChunk': {
        const host = this.#requireHost();
        host.receiveChunk(chunkOf(this.#segments, this.#coordinatorSegment, message));
        this.#segments?.requireUnchanged(this.#coordinatorSegment, message.body);
        return;
      }
      case 'apply':
        this.#enqueue(this.#requireHost().confirmAverage(requirePhase(message), message.step));
        return;
      case 'fetch':
        this.#requireHost().sendSnapshot(message.body);
        return;
      case 'stop':
        this.#over.resolve();
        return;
      case 'ping':
        return;
      case 'hello':
      case 'ready':
      case 'prepared':
      case 'shardDone':
      case 'snapshotTaken':
      case 'failure':
      case 'averaged':
      case 'unreachable':
      case 'greeting':
        throw new Rejection('unexpected', `${message.kind} is not for a worker`);
    }
  }

  #requireOurs(message: Message): void {
    const { run, generation, kind } = message;
    if (run !== this.#header.run) throw new Rejection('wrong_run', `${kind} of run ${run}`);
    if (isOfOneGeneration(message) && generation !== this.#header.generation)
      throw new Rejection('wrong_generation', `${kind} of generation ${generation}`);
  }

  /** Says that this worker lives, whatever it computes, and misses the coordinator when it falls silent. */
  #keepAlive(timeout: number): void {
    this.#liveness = new Liveness({
      timeout,
      beat: () => {
        void this.#send('ping', {}).catch(() => undefined);
      },
      judge: (since) => {
        if (this.#heard < since) this.#lose(`it was silent for ${timeout / 1000} s`);
      },
    });
  }

  /** Loads the engine and looks for the images while the coordinator waits. */
  async #join({ body }: MessageOf<'welcome'>): Promise<void> {
    const run = await this.options.loader.load(body);
    this.#coordinatorSegment = body.segment;
    this.#segments = await this.options.openSegments(VECTORS_SHARED * vectorBytes(run.options));
    const host = new ShardHost(run, (kind, at, payload) => this.#send(kind, payload, at), this.#segments);
    const sockets = body.peers ? await this.#openPeers(host, body) : undefined;
    this.#host = host;
    if (this.#closed) {
      await host.close();
      this.#segments?.close();
    }
    await this.#send(
      'ready',
      {
        optionsHash: hashOptions(body.options),
        engine: run.engine,
        datasetFingerprint: run.faces?.fingerprint ?? '',
        peerAddresses: sockets?.addresses ?? [],
        peerKey: sockets?.key ?? '',
        peerToken: sockets?.token ?? '',
        segment: this.#segments?.name ?? '',
      },
      run.update === undefined ? {} : updateAt(run.update),
    );
  }

  /** Other workers can connect from now on. */
  async #openPeers(host: ShardHost, { worker, liveness, options }: Bodies['welcome']): Promise<PeerSockets> {
    const { address, security, peerPort, sockets: folder } = this.options;
    const sockets = await PeerSockets.open({
      ...{ coordinator: address, encrypted: security !== undefined, port: peerPort, folder },
      heartbeat: heartbeatFor(liveness),
      onMessage: (received) => host.peers?.receive(received),
    });
    host.peers = new PeerAveraging({
      training: JSON.parse(options) as TrainingOptions,
      ...{ sockets, segments: this.#segments, self: worker, header: this.#header },
      ...{ means: host.means, liveness },
      onAveraged: (at, averaged) => {
        void this.#send('averaged', averaged, at).catch(() => undefined);
      },
      onUnreachable: (generation, { worker: other, reason }) => {
        const told = { worker: other, reason: tellable(reason) };
        void this.#send('unreachable', told, { generation }).catch(() => undefined);
      },
    });
    return sockets;
  }

  #requireHost(): ShardHost {
    if (!this.#host) throw new Rejection('unexpected', 'asked for work before the handshake was done');
    return this.#host;
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work
      .then(() => (this.#closed ? undefined : task()))
      .catch((error: unknown) => {
        this.#fail(error);
      });
  }

  #lose(reason: string): void {
    this.#over.reject(new SessionLost(reason));
  }

  /** The coordinator hears why, if it still can. */
  #fail(error: unknown): void {
    if (this.#closed || error instanceof SessionLost || error instanceof Rejection) {
      this.#lose(messageOf(error));
      return;
    }
    void this.#send('failure', { reason: tellable(messageOf(error)) }).catch(() => undefined);
    // At once: the coordinator answers that it may come back, which it must not take for a lost connection.
    this.#over.reject(error instanceof Error ? error : new Error(messageOf(error)));
  }

  #send<Kind extends BodyKind>(kind: Kind, body: Bodies[Kind], at: Partial<Header> = {}): Promise<void> {
    const message = { ...this.#header, ...at, kind, body } as Message;
    const isOfRound = message.kind === 'chunk' && message.body.content === Content.GRADIENT;
    return this.#link.send(
      isOfRound ? chunkFor(this.#segments, this.#coordinatorSegment, message, message.body) : message,
    );
  }
}

function requirePhase({ phase }: Header): RoundName {
  if (!phase) throw new Rejection('out_of_range', 'a computation without a phase');
  return phase;
}
