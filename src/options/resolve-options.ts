import { UserError } from '../common/errors.js';
import type { Secret } from '../common/secret.js';
import { checkTrainingOptions, type TrainingOptions } from '../model/training-options.js';
import type { Regularization } from '../model/regularization.js';
import type { Fallback } from './fallback.js';
import { requireAddress, requireKeys } from '../wire/address.js';
import { parseHttpAddress, requireToken, type HttpAddress } from '../common/http-address.js';
import type { TrainArguments } from './train-options.js';
import { settleSummation, type Topology } from '../averaging/topology.js';

/** This machine, as far as options depend on it. */
export interface Machine {
  readonly cores: number;
  readonly gpus: readonly number[];
  /** Why it should not compute in bfloat16; undefined if it can. */
  lackOfBfloat16(): string | undefined;
}

/** A run's options, all settled. */
export interface RunOptions {
  /** Options that affect results. */
  readonly training: TrainingOptions;
  readonly data: string | undefined;
  readonly followLinks: boolean;
  readonly maxBrokenShare: number;
  /** 0: this process alone. */
  readonly workers: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly topology: Topology;
  /** True if processes of one machine exchange gradients in shared memory. */
  readonly sharedMemory: boolean;
  readonly fallback: Fallback;
  /** Milliseconds. */
  readonly liveness: number;
  readonly external: boolean;
  readonly listen: string | undefined;
  /** The folder of keys; undefined: no encryption, on this machine only. */
  readonly keys: string | undefined;
  readonly http: HttpAddress | undefined;
  readonly httpToken: Secret | undefined;
  readonly engine: TrainArguments['engine'];
  /** Weights to begin with; undefined: the seed's. */
  readonly init: string | undefined;
  readonly epochs: number;
  readonly steps: number | undefined;
  readonly sampleEvery: number;
  readonly checkpointEvery: number;
  readonly keepCheckpoints: number;
  readonly evaluateEvery: number;
}

/** Fills in what depends on the machine or on other options, and refuses what does not go together. */
export function settleOptions(given: TrainArguments, machine: Machine): RunOptions {
  refuseContradictions(given);
  refusePrecision(given, machine);
  if (given.listen !== undefined) {
    requireAddress(given.listen, '--listen');
    requireKeys(given.listen, given.keys, '--listen');
  }
  const workers = settleWorkers(given, machine.gpus.length);
  const maxWorkers = given.maxWorkers ?? workers;
  const shards = given.shards ?? Math.max(1, maxWorkers);
  requireWorkers(given, { workers, maxWorkers, shards });
  const training: TrainingOptions = {
    architecture: given.architecture,
    imageSize: given.imageSize,
    latentSize: given.latentSize,
    generatorFeatures: given.generatorFeatures,
    discriminatorFeatures: given.discriminatorFeatures,
    batchSize: given.batchSize,
    ...(given.accumulate > 1 && { accumulate: given.accumulate }),
    ...(given.localSteps > 1 && { localSteps: given.localSteps }),
    shards,
    seed: given.seed,
    learningRate: given.learningRate,
    beta1: given.beta1,
    threads: given.threads ?? Math.max(1, Math.floor(machine.cores / shards)),
    precision: given.precision,
    eager: given.eager ?? false,
    ...resolveRegularization(given),
    ...settleSummation(given.topology, given.summation),
    ...(given.wire !== 'fp32' && { wire: given.wire }),
  };
  checkTrainingOptions(training);
  return Object.freeze({
    training: Object.freeze(training),
    data: given.data,
    followLinks: given.followLinks ?? false,
    maxBrokenShare: given.maxBroken,
    workers,
    minWorkers: given.minWorkers,
    maxWorkers,
    topology: given.topology,
    sharedMemory: given.sharedMemory,
    fallback: given.fallback,
    liveness: given.livenessTimeout * 1000,
    external: given.external ?? false,
    listen: given.listen,
    keys: given.keys,
    http: settleHttp(given),
    httpToken: given.httpToken,
    engine: given.engine,
    init: given.init,
    epochs: given.epochs,
    steps: given.steps,
    sampleEvery: given.sampleEvery,
    checkpointEvery: given.checkpointEvery,
    keepCheckpoints: given.keepCheckpoints,
    evaluateEvery: given.evaluateEvery,
  });
}

/** Leaves out what is off, so that a run without it has the same options as before the option existed. */
function resolveRegularization({ ema, mirror, augment, r1 }: TrainArguments): Regularization {
  return {
    ...(ema === 0 ? {} : { ema }),
    ...(mirror ? { mirror } : {}),
    ...(augment === undefined ? {} : { augment }),
    ...(r1 === 0 ? {} : { r1 }),
  };
}

function settleWorkers({ workers, singleNode, external }: TrainArguments, gpus: number): number {
  if (singleNode) return 0;
  if (workers !== undefined) return workers;
  if (external) throw new UserError('--external needs to know how many workers will come: give --workers N');
  return gpus > 1 ? gpus : 0;
}

function requireWorkers(
  { minWorkers, external, maxWorkers: most, fallback }: TrainArguments,
  { workers, maxWorkers, shards }: { workers: number; maxWorkers: number; shards: number },
): void {
  if (maxWorkers > shards)
    throw new UserError(
      `${maxWorkers} workers cannot share ${shards} shards: give --shards ${maxWorkers} or fewer workers`,
    );
  if (workers === 0) return;
  if (most !== undefined && !external)
    throw new UserError(
      '--max-workers is for workers from elsewhere: give --external too, or --workers alone',
    );
  if (fallback === 'wait' && !external)
    throw new UserError(
      '--fallback wait is for workers from elsewhere: give --external too, or another --fallback',
    );
  if (workers > maxWorkers || minWorkers > workers)
    throw new UserError(
      `${minWorkers} at least, ${workers} to begin with and ${maxWorkers} at most cannot be: ` +
        '--min-workers <= --workers <= --max-workers',
    );
}

function settleHttp({ http, httpToken }: TrainArguments): HttpAddress | undefined {
  if (http === false) return undefined;
  const address = parseHttpAddress(http);
  requireToken(address, httpToken);
  return address;
}

/** Workers that are started elsewhere look for themselves. */
function refusePrecision({ precision, engine, external }: TrainArguments, machine: Machine): void {
  if (precision === 'fp32') return;
  if (engine === 'wasm') throw new UserError(`--precision ${precision} needs the native engine, not wasm`);
  const lack = external ? undefined : machine.lackOfBfloat16();
  if (lack !== undefined) throw new UserError(`--precision ${precision} cannot be used: ${lack}; take fp32`);
}

function refuseContradictions({
  singleNode,
  workers,
  external,
  listen,
  keys,
  resume,
  runDir,
  autoResume,
  eager,
  precision,
}: TrainArguments): void {
  const contradictions: readonly [boolean, string][] = [
    [singleNode === true && workers !== undefined, '--single-node and --workers'],
    [singleNode === true && external === true, '--single-node and --external'],
    [singleNode === true && listen !== undefined, '--single-node and --listen'],
    [singleNode === true && keys !== undefined, '--single-node and --keys'],
    [resume !== undefined && runDir !== undefined, '--resume and --run-dir'],
    [resume !== undefined && autoResume === true, '--resume and --auto-resume'],
    [eager === true && precision !== 'fp32', '--eager and --precision bf16'],
  ];
  const found = contradictions.find(([both]) => both);
  if (found) throw new UserError(`${found[1]} exclude each other`);
}
