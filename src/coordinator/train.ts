import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { cacheFolder } from '../common/cache-folder.js';
import { Closing } from '../common/closing.js';
import { messageOf, UserError } from '../common/errors.js';
import { PROJECT_VERSION } from '../common/version.js';
import { Sampler, type Faces } from '../data/index.js';
import { chooseEngine } from '../engine/choose-engine.js';
import { visibleGpus } from '../engine/gpus.js';
import { PHASES } from '../model/phase.js';
import { REJECTION_REASONS } from '../wire/rejection.js';
import { Checkpoint } from './checkpoint/checkpoint.js';
import { formatHttpAddress } from './metrics/http-address.js';
import { startHttpServer } from './metrics/http-server.js';
import { RunMetrics } from './metrics/run-metrics.js';
import type { TrainArguments } from './options.js';
import { startProgress } from './progress/start-progress.js';
import { resumeArguments } from './resume.js';
import { openRunFaces } from './run-faces.js';
import { RunRecord } from './run-record.js';
import { RunFolder } from './run/run-folder.js';
import { StepLog } from './run/step-log.js';
import { settleOptions, type RunOptions } from './settle-options.js';
import { startGroup } from './start-group.js';
import { StopRequest } from './stop-request.js';
import { NotFinite, trainSteps } from './training-loop.js';

/** `coordinator train`: from options to a finished run. `typed` names the options that the user gave. */
export async function train(given: TrainArguments, typed: ReadonlySet<string>): Promise<void> {
  const earlier = given.resume === undefined ? undefined : await RunFolder.open(given.resume);
  const all = earlier ? await resumeArguments(earlier, given, typed) : given;
  const machine = { cores: availableParallelism(), gpus: visibleGpus() };
  const options = settleOptions(all, machine);
  if (given.dryRun) {
    process.stdout.write(`${JSON.stringify(options, undefined, 2)}\n`);
    return;
  }
  const closing = new Closing();
  try {
    const stop = new StopRequest((signal) => {
      say(`${signal}: ending after this step with a checkpoint; once more to end at once`);
    });
    closing.add(() => {
      stop.close();
    });
    await run({ options, machine, arguments: all, earlier, stop: stop.signal, closing });
  } finally {
    await closing.close();
  }
}

interface Request {
  readonly options: RunOptions;
  readonly machine: { readonly cores: number; readonly gpus: readonly number[] };
  /** As typed and remembered: kept in options.json for --resume. */
  readonly arguments: TrainArguments;
  /** The run that goes on. */
  readonly earlier: RunFolder | undefined;
  readonly stop: AbortSignal;
  readonly closing: Closing;
}

/** Everything that can fail comes before the run's directory is made. */
async function run({ options, machine, arguments: given, earlier, stop, closing }: Request): Promise<void> {
  const { training } = options;
  const cache = cacheFolder();
  const engine = await chooseEngine(options.engine, cache);
  if (engine.reason !== undefined) say(`engine: wasm, because ${engine.reason}`);

  const status = { ready: false, step: 0, metrics: '' };
  const metrics = new RunMetrics({
    batchSize: training.batchSize,
    phases: PHASES,
    rejectionReasons: REJECTION_REASONS,
  });
  if (options.http) {
    const http = await startHttpServer({
      ...options.http,
      metrics,
      isReady: () => status.ready,
      describe: () => ({ ...status, ...options }),
    });
    closing.add(() => http.close());
    status.metrics = `http://${formatHttpAddress(http.address)}/metrics`;
  }

  const { faces, broken } = await openRunFaces({
    data: options.data,
    size: training.imageSize,
    maxBrokenShare: options.maxBrokenShare,
    cache,
    log: say,
    signal: stop,
  });
  closing.add(() => {
    faces.close();
  });
  const sampler = new Sampler({
    count: faces.count,
    batch: training.batchSize,
    shards: training.shards,
    seed: training.seed,
  });
  const lastStep = options.steps ?? options.epochs * sampler.stepsPerEpoch;

  const from = earlier && (await openCheckpoint(earlier, options, faces));
  if (from) closing.add(() => from.close());
  const firstStep = (from?.facts.step ?? 0) + 1;
  if (firstStep > lastStep)
    throw new UserError(
      `the run has done ${firstStep - 1} of ${lastStep} steps: give more --epochs or --steps to go on`,
    );

  const group = await startGroup({
    ...{ options, machine, engine: engine.name, faces, sampler, firstStep, from, metrics },
    log: say,
    signal: stop,
  });
  closing.add(() => group.close());
  if (from && from.facts.engine !== group.engine)
    say(
      `the run was computed by ${from.facts.engine}; with ${group.engine} it will not be the same bit for bit`,
    );

  const folder = earlier ?? (await RunFolder.create(given.runDir));
  await folder.writeOptions({
    version: PROJECT_VERSION,
    node: process.version,
    engine: group.engine,
    dataset: {
      folder: options.data ?? 'drawn faces',
      images: faces.count,
      broken,
      fingerprint: faces.fingerprint,
    },
    training,
    arguments: given,
  });
  const log = earlier
    ? await StepLog.resume(folder.statsFile, firstStep - 1, say)
    : await StepLog.create(folder.statsFile);
  closing.add(() => log.close());
  say(
    `${earlier ? 'going on' : 'training'} in ${shown(folder.path)}: ${faces.count.toLocaleString('en')} images, ` +
      `steps ${firstStep} to ${lastStep}, ${options.workers === 0 ? 'one process' : `${options.workers} workers`}, ` +
      `${training.shards} shards, engine ${group.engine}`,
  );
  if (status.metrics !== '') say(`metrics at ${status.metrics}`);

  const progress = startProgress({ totalSteps: lastStep, totalEpochs: sampler.epochOf(lastStep) });
  closing.add(() => {
    progress.stop();
  });
  const record = new RunRecord({ run: folder, log, options, group, metrics, progress, faces });
  closing.add(() => {
    record.close();
  });

  status.ready = true;
  status.step = firstStep - 1;
  try {
    if (!earlier) await record.beginning(sampler);
    for await (const step of trainSteps({ group, training, sampler, firstStep, lastStep, stop })) {
      await record.step(step);
      status.step = step.record.step;
    }
    await record.end(status.step, sampler.epochOf(Math.max(1, status.step)));
  } catch (error) {
    if (error instanceof NotFinite) metrics.countNonFinite();
    throw new Error(`${messageOf(error)}; ${whatIsLeft(folder, record.lastCheckpoint ?? from?.path)}`, {
      cause: error,
    });
  }
  await record.losses();
  progress.stop();
  say(
    status.step < lastStep
      ? `stopped after step ${status.step} of ${lastStep}: go on with --resume ${shown(folder.path)}`
      : `done: faces in ${shown(folder.samplePicture(lastStep))}, losses in ${shown(folder.lossPicture)}`,
  );
}

async function openCheckpoint(run: RunFolder, { training }: RunOptions, faces: Faces): Promise<Checkpoint> {
  const checkpoint = await Checkpoint.openNewest(run, training);
  const { datasetFingerprint } = checkpoint.facts;
  if (datasetFingerprint === faces.fingerprint) return checkpoint;
  await checkpoint.close();
  throw new UserError(
    `${shown(run.path)} was trained on other images (fingerprint ${datasetFingerprint.slice(0, 8)}, ` +
      `these have ${faces.fingerprint.slice(0, 8)}): give --data the folder it had`,
  );
}

function whatIsLeft(folder: RunFolder, checkpoint: string | undefined): string {
  return checkpoint === undefined
    ? `no checkpoint was written yet, what there is lies in ${shown(folder.path)}`
    : `the last checkpoint is ${shown(checkpoint)}: go on with --resume ${shown(folder.path)}`;
}

/** Messages before and after the progress bar. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** As short as it can be typed from here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
