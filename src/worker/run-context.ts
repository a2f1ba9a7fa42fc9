import { Sampler, type Faces } from '../data/index.js';
import { chooseEngine } from '../engine/choose-engine.js';
import { engineIdentity } from '../engine/engine.js';
import { engineEnvironment } from '../engine/environment.js';
import { visibleGpus } from '../engine/gpus.js';
import { LocalSteps } from '../model/local-steps.js';
import { ReplicaHandle } from '../model/replica-handle.js';
import { checkTrainingOptions, trainingLoad, type TrainingOptions } from '../model/training-options.js';
import { UserError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import type { Bodies } from '../wire/message.js';
import type { WorkerOptions } from './options.js';
import { findWholeDataset, type RunDataset } from './shard-images.js';

/**
 * Replica, options and images of a run. They outlive the connection, so that a worker resumes after it reconnects.
 */
export interface RunContext {
  readonly options: TrainingOptions;
  /** Text of the options, as received. */
  readonly optionsJson: string;
  readonly dataset: RunDataset;
  readonly replica: ReplicaHandle;
  /** Name, version and device of the engine. */
  readonly engine: string;
  /** The whole dataset, where this machine has it. */
  readonly faces: Faces | undefined;
  readonly sampler: Sampler;
  readonly cache: string;
  readonly log: Log;
  /** Local steps; undefined in a run without them. */
  readonly local: LocalSteps | undefined;
  /** The update that the replica's state is ready for; undefined where it has none, or a part of one. */
  update: number | undefined;
}

/** Loads what a run needs, once in a process; where that fails, it fails for good. */
export class RunLoader {
  #loading: Promise<RunContext> | undefined;
  #replica: ReplicaHandle | undefined;

  constructor(
    private readonly options: WorkerOptions,
    private readonly cache: string,
    private readonly log: Log,
  ) {}

  /** Loads the run that a coordinator welcomed this worker to. Throws a UserError for another run than before. */
  async load(welcome: Bodies['welcome']): Promise<RunContext> {
    const options = JSON.parse(welcome.options) as TrainingOptions;
    checkTrainingOptions(options);
    const dataset = {
      fingerprint: welcome.datasetFingerprint,
      count: welcome.datasetCount,
      size: options.imageSize,
    };
    this.#loading ??= this.#load(options, welcome.options, dataset);
    const loaded = await this.#loading;
    const { optionsJson, dataset: own } = loaded;
    // An engine keeps the number of threads it was loaded with.
    if (optionsJson !== welcome.options || own.fingerprint !== dataset.fingerprint)
      throw new UserError('the coordinator has another run than before: start this worker again');
    return loaded;
  }

  async close(): Promise<void> {
    await this.#replica?.close();
    const loaded = await this.#loading?.catch(() => undefined);
    loaded?.faces?.close();
  }

  async #load(options: TrainingOptions, optionsJson: string, dataset: RunDataset): Promise<RunContext> {
    const { name, reason } = await chooseEngine(this.options.engine, this.cache);
    if (reason !== undefined) this.log(`engine: wasm, because ${reason}`);
    Object.assign(process.env, engineEnvironment({ threads: options.threads, gpu: visibleGpus()[0] }));
    const replica = new ReplicaHandle();
    this.#replica = replica;
    // The images are checked while the engine loads.
    const [identity, faces] = await Promise.all([
      replica.call('load', trainingLoad(name, options)),
      findWholeDataset(this.cache, this.options, dataset, this.log),
    ]);
    const engine = engineIdentity(identity);
    const sampler = new Sampler({
      count: dataset.count,
      batch: options.batchSize,
      shards: options.shards,
      seed: options.seed,
      mirror: options.mirror,
      accumulate: options.accumulate,
    });
    const { cache, log } = this;
    return {
      options,
      optionsJson,
      dataset,
      replica,
      engine,
      faces,
      sampler,
      cache,
      log,
      local: options.localSteps === undefined ? undefined : new LocalSteps(options, replica),
      update: undefined,
    };
  }
}
