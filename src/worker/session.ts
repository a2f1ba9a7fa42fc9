import { hostname } from 'node:os';
import { Deferred } from '../common/deferred.js';
import { messageOf, UserError } from '../common/errors.js';
import { Sampler } from '../data/index.js';
import { chooseEngine } from '../engine/choose-engine.js';
import { engineIdentity } from '../engine/engine.js';
import { engineEnvironment } from '../engine/environment.js';
import { visibleGpus } from '../engine/gpus.js';
import type { Phase } from '../model/phase.js';
import { ReplicaHandle } from '../model/replica-handle.js';
import {
  checkTrainingOptions,
  hashOptions,
  trainingLoad,
  type TrainingOptions,
} from '../model/training-options.js';
import { PROTOCOL_VERSION } from '../wire/codec.js';
import { Link } from '../wire/link.js';
import type { Bodies, BodyKind, Header, Message, MessageOf } from '../wire/message.js';
import { Rejection } from '../wire/rejection.js';
import type { LinkSecurity } from '../wire/security.js';
import { type TrafficObserver } from '../wire/traffic.js';
import { Hosting } from './hosting.js';
import type { WorkerOptions } from './options.js';
import { findWholeDataset, type RunDataset } from './run-images.js';

const STRANGER: Header = { run: '', generation: 0, step: 0, phase: undefined };

/** How long messages that have come already may take to be read, in milliseconds. */
const LAST_WORDS_TIME = 1_000;

/** What a worker knows once it was welcomed. */
interface Membership {
  readonly options: TrainingOptions;
  readonly dataset: RunDataset;
  readonly replica: ReplicaHandle;
}

/**
 * A worker's side of the protocol: hello, ready, then whatever the coordinator asks for, in the order it asks.
 * Messages are read as they come; what takes long is queued, so that chunks and the end of the run are never held up.
 */
export class WorkerSession {
  readonly #link: Link;
  readonly #over = new Deferred<void>();
  /** What was asked for so far, done one after the other. */
  #work: Promise<void> = Promise.resolve();
  #header = STRANGER;
  #membership: Promise<Membership> | undefined;
  #hosting: Hosting | undefined;
  #connected = false;
  #lastWords: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: WorkerOptions,
    private readonly cache: string,
    private readonly log: (line: string) => void,
    security: LinkSecurity | undefined,
  ) {
    const ignore = (): void => undefined;
    const traffic: TrafficObserver = {
      sent: ignore,
      received: ignore,
      rejected: (reason, message) => {
        log(`dropped a message from the coordinator (${reason}): ${message}`);
      },
    };
    const onEvent = (event: 'connected' | 'disconnected'): void => {
      if (event === 'connected') this.#connected = true;
      else if (this.#connected) this.#missCoordinator();
    };
    this.#link = Link.connect(options.coordinator, traffic, onEvent, {
      security,
      onRefused: this.#over.reject,
    });
  }

  /** Resolves when the coordinator ends the run. */
  async run(): Promise<void> {
    const patience = setTimeout(() => {
      if (this.#header === STRANGER) this.#over.reject(this.#nobodyAnswers());
    }, this.options.connectTimeout * 1000);
    try {
      await this.#send('hello', { protocol: PROTOCOL_VERSION, host: hostname(), pid: process.pid });
      void this.#readMessages();
      await this.#over.promise;
    } finally {
      clearTimeout(patience);
      clearTimeout(this.#lastWords);
      this.#hosting?.close();
      await this.#link.close();
      const membership = await this.#membership?.catch(() => undefined);
      await membership?.replica.close();
    }
  }

  /** Tells the coordinator, and ends. */
  leave(reason: string): void {
    void this.#send('failure', { reason }).finally(() => {
      this.#over.resolve();
    });
  }

  /** What the coordinator said last may be read after the news that its connection ended. */
  #missCoordinator(): void {
    this.#lastWords ??= setTimeout(() => {
      this.#over.reject(new Error(`the coordinator at ${this.options.coordinator} is gone`));
    }, LAST_WORDS_TIME);
  }

  async #readMessages(): Promise<void> {
    try {
      for await (const message of this.#link.messages()) this.#receive(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #receive(message: Message): void {
    try {
      this.#handle(message);
    } catch (error) {
      if (error instanceof Rejection) this.log(`dropped a message (${error.reason}): ${error.message}`);
      else this.#fail(error);
    }
  }

  #handle(message: Message): void {
    if (message.kind !== 'welcome' && message.kind !== 'refusal') this.#requireOurs(message);
    switch (message.kind) {
      case 'welcome':
        this.#enqueue(() => this.#join(message));
        return;
      case 'refusal':
        this.#over.reject(new UserError(`the coordinator refused this worker: ${message.body.reason}`));
        return;
      case 'assignment':
        this.#header = { ...this.#header, generation: message.generation };
        this.#enqueue(() => this.#prepare(message));
        return;
      case 'compute':
        this.#enqueue(() => this.#requireHosting().compute(requirePhase(message), message.step));
        return;
      case 'snapshot':
        this.#enqueue(() => this.#requireHosting().takeSnapshot(message.body.content));
        return;
      case 'chunk':
        this.#requireHosting().receiveChunk(message);
        return;
      case 'apply':
        this.#enqueue(this.#requireHosting().confirmAverage(requirePhase(message), message.step));
        return;
      case 'fetch':
        this.#requireHosting().sendSnapshot(message.body);
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
        throw new Rejection('unexpected', `${message.kind} is not for a worker`);
    }
  }

  #requireOurs({ run, generation, kind }: Message): void {
    if (run !== this.#header.run) throw new Rejection('wrong_run', `${kind} of run ${run}`);
    if (kind !== 'assignment' && generation !== this.#header.generation)
      throw new Rejection('wrong_generation', `${kind} of generation ${generation}`);
  }

  /** Loads the engine and looks for the images while the coordinator waits. */
  async #join({ run, generation, body }: MessageOf<'welcome'>): Promise<void> {
    this.#header = { run, generation, step: 0, phase: undefined };
    const options = JSON.parse(body.options) as TrainingOptions;
    checkTrainingOptions(options);
    const dataset = {
      fingerprint: body.datasetFingerprint,
      count: body.datasetCount,
      size: options.imageSize,
    };

    const { name, reason } = await chooseEngine(this.options.engine, this.cache);
    if (reason !== undefined) this.log(`engine: wasm, because ${reason}`);
    Object.assign(process.env, engineEnvironment({ threads: options.threads, gpu: visibleGpus()[0] }));
    const replica = new ReplicaHandle();
    this.#membership = Promise.resolve({ options, dataset, replica });
    const engine = await replica.call('load', trainingLoad(name, options));

    const faces = await findWholeDataset(this.cache, this.options, dataset, this.log);
    const sampler = new Sampler({
      count: dataset.count,
      batch: options.batchSize,
      shards: options.shards,
      seed: options.seed,
    });
    this.#hosting = new Hosting(
      { options, dataset, replica, faces, sampler, cache: this.cache },
      (kind, at, payload) => this.#send(kind, payload, at),
    );
    await this.#send('ready', {
      optionsHash: hashOptions(body.options),
      engine: engineIdentity(engine),
      datasetFingerprint: faces?.fingerprint ?? '',
    });
  }

  async #prepare({ body }: MessageOf<'assignment'>): Promise<void> {
    await this.#requireHosting().assign(body.shards, body.fetchState);
    await this.#send('prepared', {});
  }

  #requireHosting(): Hosting {
    if (!this.#hosting) throw new Rejection('unexpected', 'asked for work before the handshake was done');
    return this.#hosting;
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error: unknown) => {
      this.#fail(error);
    });
  }

  /** The coordinator hears why, if it still can. */
  #fail(error: unknown): void {
    const told = this.#send('failure', { reason: messageOf(error) }).catch(() => undefined);
    void told.then(() => {
      this.#over.reject(error instanceof Error ? error : new Error(messageOf(error)));
    });
  }

  #send<Kind extends BodyKind>(kind: Kind, body: Bodies[Kind], at: Partial<Header> = {}): Promise<void> {
    return this.#link.send({ ...this.#header, ...at, kind, body } as Message);
  }

  #nobodyAnswers(): Error {
    return new Error(
      `nobody answers at ${this.options.coordinator} for ${this.options.connectTimeout} s: ` +
        'is the coordinator running there, with --external or started by this machine, and with the key that --keys has?',
    );
  }
}

function requirePhase({ phase }: Header): Phase {
  if (!phase) throw new Rejection('out_of_range', 'a computation without a phase');
  return phase;
}
