import { stat } from 'node:fs/promises';
import { cacheFolder } from '../common/files/cache-folder.js';
import type { Closing } from '../common/closing.js';
import { UserError } from '../common/errors.js';
import { say } from '../common/log.js';
import { Sampler, type Faces } from '../data/index.js';
import { chooseEngine } from '../engine/choose-engine.js';
import { findFacePackage } from '../evaluation/face-package.js';
import { roundsOf } from '../model/round.js';
import { imagesOfStep } from '../model/training-options.js';
import { REJECTION_REASONS } from '../wire/rejection.js';
import { Beginning } from './run-origin.js';
import type { Checkpoint } from '../run/checkpoint/checkpoint.js';
import { listCheckpoints } from '../run/checkpoint/checkpoint-files.js';
import { openCheckpoint, openNewestWhole } from '../run/checkpoint/open-checkpoint.js';
import type { ComputeGroup } from './executor.js';
import { EVALUATED_SAMPLES } from '../evaluation/background-evaluation.js';
import { countFor } from '../evaluation/sample-count.js';
import { LiveRun } from '../monitoring/live/live-run.js';
import { formatHttpAddress } from '../common/http-address.js';
import { startHttpServer } from '../monitoring/http/server.js';
import { RunMetrics } from '../monitoring/metrics/run-metrics.js';
import type { TrainArguments } from '../options/train-options.js';
import { lastRecord } from '../run/step-log.js';
import { savedInitial } from '../run/saved-options.js';
import { openRunFaces } from '../data/open-dataset.js';
import type { RunStatus } from '../monitoring/live/run-status.js';
import type { RunFolder, RunPlace } from '../run/run-directory.js';
import { shown } from '../common/display-path.js';
import type { Voice } from '../common/log-router.js';
import type { Machine, RunOptions } from '../options/resolve-options.js';
import { readFleetKeys } from './fleet/fleet-keys.js';
import { startGroup } from './start-executor.js';
import type { StopRequest } from '../common/process/stop-request.js';

export interface RunRequest {
  /** The run's. */
  readonly id: string;
  readonly options: RunOptions;
  readonly machine: Machine;
  /** Options as typed and saved: options.json keeps them for --resume. */
  readonly arguments: TrainArguments;
  /** Run to resume, and its checkpoint. */
  readonly earlier: RunPlace | undefined;
  /** Says what happens to the workers. */
  readonly voice: Voice;
  readonly stop: StopRequest;
  readonly outcome: RunOutcome;
  readonly closing: Closing;
}

/** Outcome of a run at the end of its process. */
export interface RunOutcome {
  /** All steps are done, and what the run leaves is written. */
  isDone: boolean;
}

/** A run that can begin. */
export interface PreparedRun {
  readonly status: RunStatus;
  readonly metrics: RunMetrics;
  /** State of the run for the page. */
  readonly live: LiveRun;
  /** URL of the metrics; undefined with --no-http. */
  readonly metricsAddress: string | undefined;
  readonly faces: Faces;
  /** Images that were left out. */
  readonly broken: number;
  readonly sampler: Sampler;
  /** Checkpoint to resume from. */
  readonly from: Checkpoint | undefined;
  /** Origin of the run, used while it has no checkpoint. */
  readonly beginning: Beginning;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly group: ComputeGroup;
}

/**
 * Does everything that can fail before the run's directory is created. Registers resources with `closing`. Returns
 * undefined if a run with --auto-resume has done all its steps.
 */
export async function prepareRun(request: RunRequest): Promise<PreparedRun | undefined> {
  const { id, options, machine, earlier, voice, stop, outcome, closing } = request;
  const { training } = options;
  const keys = options.keys === undefined ? undefined : await readFleetKeys(options.keys, options.external);
  // What evaluation needs is looked for before anything is made.
  if (options.evaluateEvery > 0) findFacePackage();
  const cache = cacheFolder();
  const engine = await chooseEngine(options.engine, cache);
  if (engine.reason !== undefined) say(`engine: wasm, because ${engine.reason}`);

  const beginning = new Beginning(options.init, training, earlier && (await savedInitial(earlier.run)));
  // Weights that do not fit are refused before images are decoded.
  if (!earlier) await beginning.state();

  const status: RunStatus = { ready: false, step: 0, totalSteps: 0 };
  const live: LiveRun = new LiveRun({ options, status, stop, board: () => metrics.board, log: voice.say });
  closing.add(() => live.events.close());
  voice.listen(live.events.hear);
  const metrics = new RunMetrics({
    ...{ batchSize: imagesOfStep(training), shards: training.shards },
    onRejected: (reason) => {
      live.events.rejected(reason);
    },
    phases: roundsOf(training),
    rejectionReasons: REJECTION_REASONS,
  });
  const from = earlier && (await openOrigin(earlier, options));
  if (from) {
    closing.add(() => from.close());
    status.step = from.facts.step;
  }
  // Before anybody can read them: a run that goes on is never seen at step 0, and waits for workers under its name.
  if (earlier) metrics.describe({ folder: earlier.run.path, training, engine: undefined });
  if (from) {
    const { step } = from.facts;
    metrics.rewind(await lastRecord(earlier.run.statsFile, step));
    metrics.setCheckpoint(step, (await stat(from.path)).mtime);
  }
  let metricsAddress: string | undefined;
  if (options.http) {
    const http = await startHttpServer({
      ...options.http,
      token: options.httpToken,
      metrics,
      isReady: () => status.ready,
      site: live.site,
    });
    closing.add(() => http.close());
    metricsAddress = `http://${formatHttpAddress(http.address)}/metrics`;
  }

  const { faces, broken } = await openRunFaces({
    data: options.data,
    followLinks: options.followLinks,
    size: training.imageSize,
    maxBrokenShare: options.maxBrokenShare,
    offered: ['--follow-links', '--max-broken'],
    cache,
    log: say,
    signal: stop.signal,
  });
  closing.add(() => {
    faces.close();
  });

  if (options.evaluateEvery > 0) countFor(EVALUATED_SAMPLES, faces.count);
  const sampler = new Sampler({
    count: faces.count,
    batch: training.batchSize,
    shards: training.shards,
    seed: training.seed,
    mirror: training.mirror,
    accumulate: training.accumulate,
  });
  const lastStep = options.steps ?? sampler.stepsIn(options.epochs);
  metrics.plan(lastStep);
  status.totalSteps = lastStep;

  if (earlier && from) requireSameImages(earlier, from, faces);
  const firstStep = (from?.facts.step ?? 0) + 1;
  if (firstStep > lastStep) {
    if (earlier?.unattended) return undefined;
    throw new UserError(
      `the run has done ${firstStep - 1} of ${lastStep} steps: pass more --epochs or --steps to continue`,
    );
  }

  const group = await startGroup({
    ...{ id, options, machine, engine: engine.name, keys, faces, sampler, firstStep, metrics },
    from: from ?? (await beginning.state()),
    log: voice.say,
    signal: stop.signal,
    isOver: () => outcome.isDone || stop.isForGood || !request.arguments.autoResume,
  });
  closing.add(() => group.close());
  if (from && from.facts.engine !== group.engine)
    say(
      `the run was computed by ${from.facts.engine}; with ${group.engine} it will not be the same bit for bit`,
    );
  const steps = { sampler, from, beginning, firstStep, lastStep };
  return { status, metrics, live, metricsAddress, faces, broken, group, ...steps };
}

/** Undefined: from the beginning. */
async function openOrigin(
  { run, checkpoint: path, unattended }: RunPlace,
  { training }: RunOptions,
): Promise<Checkpoint | undefined> {
  if (unattended) return openNewestWhole(run, training, { onBroken: sayBroken });
  if (path === undefined && (await listCheckpoints(run)).length === 0) {
    await requireNoSteps(run);
    say(`${shown(run.path)} has no checkpoint and no step yet: beginning its run again`);
    return undefined;
  }
  const advise = (whole: string): string => `resume from the previous one with --resume ${whole}`;
  return openCheckpoint({ run, training, path, advise });
}

/** Steps that were logged are computed again only if the user says so. */
async function requireNoSteps(run: RunFolder): Promise<void> {
  if (!(await run.hasSteps())) return;
  throw new UserError(
    `${shown(run.path)} has no checkpoint to resume from: ` +
      `pass --auto-resume --run-dir ${shown(run.path)} to compute its steps again`,
  );
}

function requireSameImages({ run }: RunPlace, { facts }: Checkpoint, { fingerprint }: Faces): void {
  if (facts.datasetFingerprint !== fingerprint)
    throw new UserError(
      `${shown(run.path)} was trained on other images (fingerprint ${facts.datasetFingerprint.slice(0, 8)}, ` +
        `these have ${fingerprint.slice(0, 8)}): give --data the folder it had`,
    );
}

function sayBroken(error: Error): void {
  say(`${error.message}: looking for the one before`, { level: 'warn' });
}
