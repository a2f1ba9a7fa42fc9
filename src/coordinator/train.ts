import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Closing } from '../common/closing.js';
import { Interrupted, messageOf } from '../common/errors.js';
import { PROJECT_VERSION } from '../common/version.js';
import { lackOfBfloat16 } from '../engine/bfloat16-support.js';
import { visibleGpus } from '../engine/gpus.js';
import { modelLayout } from '../model/layout.js';
import type { TrainingOptions } from '../model/training-options.js';
import { dropCheckpointsAfter } from './checkpoint/checkpoint-files.js';
import { neverFiniteLine } from './never-finite-line.js';
import type { TrainArguments } from './options.js';
import { prepareRun, type RunRequest } from './prepare-run.js';
import { startProgress } from './progress/start-progress.js';
import { resumeArguments } from './resume.js';
import { RunRecord } from './run-record.js';
import { openRunAt, RunFolder } from './run/run-folder.js';
import { RunLock } from './run/run-lock.js';
import { StepLog } from './run/step-log.js';
import { say, shown, Voice } from './say.js';
import { settleOptions } from './settle-options.js';
import { StopRequest } from './stop-request.js';
import { trainToEnd } from './train-to-end.js';
import { NeverFinite, TRIES } from './until-finite.js';

/** `coordinator train`: from options to a finished run. `typed` names the options that the user gave. */
export async function train(given: TrainArguments, typed: ReadonlySet<string>): Promise<void> {
  const earlier = given.resume === undefined ? undefined : await openRunAt(given.resume);
  const all = earlier ? await resumeArguments(earlier.run, given, typed) : given;
  const gpus = visibleGpus();
  const machine = {
    cores: availableParallelism(),
    gpus,
    lackOfBfloat16: () => lackOfBfloat16(gpus.length > 0 ? 'gpu' : 'cpu'),
  };
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
    await run({ options, machine, arguments: all, earlier, voice: new Voice(), stop: stop.signal, closing });
  } finally {
    await closing.close();
  }
}

async function run(request: RunRequest): Promise<void> {
  const { options, earlier, voice, stop, closing } = request;
  const { training } = options;
  if (earlier) await lock(earlier.run, closing);
  const prepared = await prepareRun(request);
  const { status, metrics, faces, sampler, from, firstStep, lastStep, group } = prepared;

  const folder = earlier?.run ?? (await RunFolder.create(request.arguments.runDir));
  if (!earlier) await lock(folder, closing);
  metrics.describe({
    ...{ name: basename(folder.path), folder: folder.path },
    ...{ training, engine: group.engine, version: PROJECT_VERSION },
  });
  await folder.writeOptions({
    version: PROJECT_VERSION,
    node: process.version,
    engine: group.engine,
    dataset: {
      folder: options.data ?? 'drawn faces',
      images: faces.count,
      broken: prepared.broken,
      fingerprint: faces.fingerprint,
    },
    training,
    arguments: request.arguments,
  });
  // Who is interrupted in between has a log that goes further than the checkpoints, which is cut the next time.
  if (earlier) await dropCheckpointsAfter(folder, firstStep - 1);
  const log = earlier
    ? await StepLog.resume(folder.statsFile, firstStep - 1, say)
    : await StepLog.create(folder.statsFile);
  closing.add(() => log.close());
  say(
    `${earlier ? 'going on' : 'training'} in ${shown(folder.path)}: ${faces.count.toLocaleString('en')} images, ` +
      `steps ${firstStep} to ${lastStep}, ${options.workers === 0 ? 'one process' : `${options.workers} workers`}, ` +
      `${training.shards} shards, engine ${group.engine}`,
  );
  if (prepared.metricsAddress !== undefined) say(`metrics at ${prepared.metricsAddress}`);

  const progress = startProgress({ totalSteps: lastStep, totalEpochs: sampler.epochOf(lastStep) });
  closing.add(() => {
    progress.stop();
  });
  voice.goThrough((line) => {
    progress.log(line);
  });
  const record = new RunRecord({ run: folder, log, options, group, metrics, progress, faces, sampler });
  closing.add(() => record.close());

  try {
    await trainToEnd({ group, training, sampler, firstStep, lastStep, stop, record, status, log: voice.say });
  } catch (error) {
    if (error instanceof NeverFinite) metrics.countNonFinite(TRIES);
    await record.close();
    const last = record.lastCheckpoint ?? from;
    const line = `${faultOf(error, training)}; ${whatIsLeft(folder, last?.path)}`;
    throw error instanceof Interrupted ? new Interrupted(line) : new Error(line, { cause: error });
  }
  await record.losses();
  progress.stop();
  say(
    status.step < lastStep
      ? `stopped after step ${status.step} of ${lastStep}: go on with --resume ${shown(folder.path)}`
      : `done: faces in ${shown(folder.samplePicture(lastStep))}, losses in ${shown(folder.lossPicture)}`,
  );
}

/** Nobody else may write to a run before this process has closed all that it has opened in it. */
async function lock(run: RunFolder, closing: Closing): Promise<void> {
  const taken = await RunLock.take(run);
  closing.add(() => taken.release());
}

function faultOf(error: unknown, training: TrainingOptions): string {
  return error instanceof NeverFinite ? neverFiniteLine(error, modelLayout(training)) : messageOf(error);
}

function whatIsLeft(folder: RunFolder, checkpoint: string | undefined): string {
  return checkpoint === undefined
    ? `no checkpoint was written yet, what there is lies in ${shown(folder.path)}`
    : `the last checkpoint is ${shown(checkpoint)}: go on with --resume ${shown(folder.path)}`;
}
