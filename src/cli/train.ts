import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { cacheFolder } from '../common/files/cache-folder.js';
import { Closing } from '../common/closing.js';
import { print } from '../common/console.js';
import { Interrupted, messageOf } from '../common/errors.js';
import { addLogContext, say, setLogFormat } from '../common/log.js';
import { PROJECT_VERSION } from '../common/process/version.js';
import { WriteFailure } from '../common/files/write-failure.js';
import { packPath } from '../data/index.js';
import { lackOfBfloat16 } from '../engine/bfloat16-support.js';
import { visibleGpus } from '../engine/gpus.js';
import type { TrainingOptions } from '../model/training-options.js';
import { dropCheckpointsAfter } from '../run/checkpoint/checkpoint-files.js';
import { beginRun, earlierRun, lockRun } from '../coordinator/claim-run.js';
import type { InitialFacts } from '../formats/read-initial.js';
import { RunEvaluations } from '../evaluation/background-evaluation.js';
import { neverFiniteLine } from '../coordinator/never-finite-line.js';
import { withTokenOfFile } from '../monitoring/http/token-file.js';
import type { TrainArguments } from '../options/train-options.js';
import { prepareRun, type RunRequest } from '../coordinator/start-session.js';
import { startProgress } from '../monitoring/console/start-progress.js';
import { resumeArguments } from '../run/saved-options.js';
import { RunRecord } from '../coordinator/run-recorder.js';
import type { RunFolder, RunPlace } from '../run/run-directory.js';
import { StepLog } from '../run/step-log.js';
import { shown, typed } from '../common/display-path.js';
import { Voice } from '../common/log-router.js';
import { settleOptions } from '../options/resolve-options.js';
import { StopRequest } from '../common/process/stop-request.js';
import { trainToEnd } from '../coordinator/train-with-rewind.js';
import { NeverFinite, TRIES } from '../coordinator/nonfinite-retry.js';

/** `coordinator train`: from options to a finished run. `typed` names the options that the user gave. */
export async function train(typedArguments: TrainArguments, typed: ReadonlySet<string>): Promise<void> {
  setLogFormat(typedArguments.log);
  const given = await withTokenOfFile(typedArguments);
  const earlier = await earlierRun(given);
  const all = earlier ? await resumeArguments(earlier.run, given, typed) : given;
  const gpus = visibleGpus();
  const machine = {
    cores: availableParallelism(),
    gpus,
    lackOfBfloat16: () => lackOfBfloat16(gpus.length > 0 ? 'gpu' : 'cpu'),
  };
  const options = settleOptions(all, machine);
  if (given.dryRun) {
    await print(`${JSON.stringify(options, undefined, 2)}\n`);
    return;
  }
  const closing = new Closing();
  await closing.around(async () => {
    const stop = new StopRequest((signal) => {
      const last = options.training.localSteps === undefined ? 'this step' : 'this round of local steps';
      const insist = signal === 'SIGHUP' ? '' : '; once more to end at once';
      say(`${signal}: ending after ${last} with a checkpoint${insist}`);
    });
    closing.add(() => {
      stop.close();
    });
    const id = (await earlier?.run.id()) ?? randomUUID();
    addLogContext({ run: id });
    const outcome = { isDone: false };
    const others = { voice: new Voice(), stop, outcome, closing };
    await run({ id, options, machine, arguments: all, earlier, ...others });
    // Who starts it again by itself must not take this for the end of the run.
    if (given.autoResume && !outcome.isDone) process.exitCode = stop.exitCode;
  });
}

async function run(request: RunRequest): Promise<void> {
  const { id, options, earlier, voice, stop, outcome, closing } = request;
  const { training } = options;
  const resumed = earlier && { folder: earlier.run, lock: await lockRun(earlier.run, request) };
  const prepared = await prepareRun(request);
  if (!prepared) {
    outcome.isDone = true;
    say(`the run in ${shown((earlier as RunPlace).run.path)} has done all its steps`);
    return;
  }
  const { status, metrics, live, faces, sampler, from, beginning, firstStep, lastStep, group } = prepared;

  const { folder, lock } = resumed ?? (await beginRun(request));
  metrics.describe({ folder: folder.path, training, engine: group.engine });
  await folder.writeOptions({
    id,
    version: PROJECT_VERSION,
    node: process.version,
    engine: group.engine,
    dataset: {
      folder: options.data ?? 'drawn faces',
      images: faces.count,
      broken: prepared.broken,
      fingerprint: faces.fingerprint,
    },
    init: beginning.facts,
    training,
    plannedSteps: lastStep,
    arguments: request.arguments,
  });
  live.open(folder);
  const log = await openLog(request, folder, firstStep - 1).catch((error: unknown) => {
    throw error instanceof WriteFailure
      ? new Error(`${error.message}; ${whatIsLeft(folder, from?.path)}`, { cause: error })
      : error;
  });
  closing.add(() => log.close());
  live.events.add('begun', from ? `resumed after step ${firstStep - 1}` : `begins: ${lastStep} steps`);
  say(
    `${from ? 'resuming' : 'training'} in ${shown(folder.path)}: ${faces.count.toLocaleString('en')} images, ` +
      `steps ${firstStep} to ${lastStep}, ${options.workers === 0 ? 'one process' : `${options.workers} workers`}, ` +
      `${training.shards} shards, engine ${group.engine}`,
  );
  if (!from && beginning.facts) say(`beginning with ${beginning.name}: ${networksIn(beginning.facts)}`);
  if (prepared.metricsAddress !== undefined) {
    say(`metrics at ${prepared.metricsAddress}`);
    say(`page at ${new URL('/', prepared.metricsAddress).href}`);
  }

  const progress = startProgress({ totalSteps: lastStep, totalEpochs: sampler.epochOf(lastStep) });
  closing.add(() => {
    progress.stop();
  });
  voice.goThrough(progress.log);
  const evaluations = new RunEvaluations({
    ...{ run: folder, training, every: options.evaluateEvery, engine: options.engine, log: voice.say },
    ...{ cache: cacheFolder(), reals: packPath(cacheFolder(), faces.fingerprint) },
    onEvaluated: (evaluation) => {
      metrics.setEvaluation(evaluation);
    },
  });
  const record = new RunRecord({
    ...{ run: folder, lock, log, options, group, metrics, progress, faces, sampler, evaluations },
    events: live.events,
  });
  closing.add(() => record.close());
  await record.goOnFrom(firstStep - 1);

  try {
    const steps = { sampler, beginning, firstStep, lastStep, stop: stop.signal };
    await trainToEnd({
      ...{ group, training, ...steps, record, status, log: voice.say },
      mayGoOn: () => live.control.passed(),
    });
  } catch (error) {
    if (error instanceof NeverFinite) metrics.countNonFinite(TRIES);
    await record.close();
    const last = record.lastCheckpoint ?? from;
    const line = `${faultOf(error, training)}; ${whatIsLeft(folder, last?.path)}`;
    live.events.add('fault', line);
    live.over();
    throw error instanceof Interrupted ? new Interrupted(line) : new Error(line, { cause: error });
  }
  await record.losses();
  await record.faces();
  await evaluations.finish(stop.signal);
  outcome.isDone = status.step >= lastStep;
  progress.stop();
  live.over();
  live.events.add(
    status.step < lastStep ? 'stopped' : 'done',
    status.step < lastStep
      ? `stopped after step ${status.step} of ${lastStep}`
      : `all ${lastStep} steps are done`,
  );
  say(
    status.step < lastStep
      ? `stopped after step ${status.step} of ${lastStep}: resume it with --resume ${typed(folder.path)}`
      : `done: faces in ${shown(folder.samplePicture(lastStep))}, losses in ${shown(folder.lossPicture)}`,
  );
}

/** Opens the log of a run whose last step that counts is `step`, and removes what came after. */
async function openLog({ earlier }: RunRequest, folder: RunFolder, step: number): Promise<StepLog> {
  if (!earlier) return StepLog.create(folder.statsFile);
  // Who is interrupted in between has a log that goes further than the checkpoints, which is cut the next time.
  await dropCheckpointsAfter(folder, step);
  return StepLog.resume(folder.statsFile, step, say);
}

function networksIn({ networks }: InitialFacts): string {
  return networks.length === 1 ? `the ${networks[0]}, the other network from the seed` : 'both networks';
}

function faultOf(error: unknown, training: TrainingOptions): string {
  return error instanceof NeverFinite ? neverFiniteLine(error, training) : messageOf(error);
}

function whatIsLeft(folder: RunFolder, checkpoint: string | undefined): string {
  return checkpoint === undefined
    ? `no checkpoint was written yet: restart it with --auto-resume --run-dir ${typed(folder.path)}`
    : `the last checkpoint is ${shown(checkpoint)}: resume it with --resume ${typed(folder.path)}`;
}
