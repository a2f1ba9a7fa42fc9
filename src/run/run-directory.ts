import { mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { writeFileAtomically } from '../common/files/atomic-file.js';
import { createFolder } from '../common/files/create-folder.js';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { writing } from '../common/files/write-failure.js';
import { stepName, stepOfName } from './step-name.js';

/** Default folder of runs, which are numbered there. */
export const RUNS_FOLDER = 'runs';

export const CHECKPOINT_ENDING = '.safetensors';

/** A run's directory: knows the name of everything that a run leaves. */
export class RunFolder {
  private constructor(readonly path: string) {}

  /**
   * Makes the folder of a new run: the one named, or the next number in runs/. The one named must not exist, be empty, or
   * be left by a coordinator that ended before its first step. Two coordinators can both get it: its lock decides.
   */
  static async create(named?: string, runs = RUNS_FOLDER): Promise<RunFolder> {
    const run = new RunFolder(named === undefined ? await nextNumbered(resolve(runs)) : resolve(named));
    makeFolder(run.path);
    await requireUnused(run);
    makeFolder(run.checkpoints);
    makeFolder(run.samples);
    return run;
  }

  /** Removes what a coordinator left that ended before its first step. Only the holder of the lock may call it. */
  async clear(): Promise<void> {
    await requireUnused(this);
    const written = [
      this.optionsFile,
      this.statsFile,
      this.eventsFile,
      this.realsPicture,
      this.samplePicture(0),
    ];
    for (const path of written) await writing(path, () => rm(path, { force: true }));
  }

  /** Opens what an earlier run has left, if it has begun. */
  static async openBegun(path: string): Promise<RunFolder | undefined> {
    const run = new RunFolder(resolve(path));
    if (!(await isFile(run.optionsFile))) return undefined;
    return RunFolder.open(run.path);
  }

  /** Returns whether a step was logged. Only a log that is missing or empty has none. */
  async hasSteps(): Promise<boolean> {
    return (await sizeOf(this.statsFile)) > 0;
  }

  /** Opens what an earlier run has left. */
  static async open(path: string): Promise<RunFolder> {
    const run = new RunFolder(resolve(path));
    await run.readOptions();
    return run;
  }

  get optionsFile(): string {
    return join(this.path, 'options.json');
  }
  /** Lock file of the run, see `RunLock`. */
  get lockFile(): string {
    return join(this.path, 'run.lock');
  }
  get statsFile(): string {
    return join(this.path, 'stats.jsonl');
  }
  /** Events of the run, one JSON object per line. */
  get eventsFile(): string {
    return join(this.path, 'events.jsonl');
  }
  get lossTable(): string {
    return join(this.path, 'losses.csv');
  }
  /** The tutorial's GL: the generator's loss of each iteration. */
  get generatorLosses(): string {
    return join(this.path, 'GL.npy');
  }
  /** The tutorial's DL: the discriminator's loss of each iteration. */
  get discriminatorLosses(): string {
    return join(this.path, 'DL.npy');
  }
  get lossPicture(): string {
    return join(this.path, 'loss.png');
  }
  get realsPicture(): string {
    return join(this.path, 'reals.png');
  }
  /** Real and generated images side by side. */
  get realsAndFakes(): string {
    return join(this.path, 'real-vs-fake.png');
  }
  /** The samples step by step. */
  get samplesGif(): string {
    return join(this.path, 'samples.gif');
  }
  get samplesWebp(): string {
    return join(this.path, 'samples.webp');
  }
  get samples(): string {
    return join(this.path, 'samples');
  }
  get checkpoints(): string {
    return join(this.path, 'checkpoints');
  }
  /** Evaluations of the run's samples. */
  get evaluations(): string {
    return join(this.path, 'evaluation');
  }
  /** Analysis of real faces, which is the same at every step. */
  get realAnalysis(): string {
    return join(this.evaluations, 'real-faces.json');
  }
  get generator(): string {
    return join(this.path, 'generator');
  }

  samplePicture(step: number): string {
    return join(this.samples, `${stepName(step)}.png`);
  }

  checkpointFile(step: number): string {
    return join(this.checkpoints, `${stepName(step)}${CHECKPOINT_ENDING}`);
  }

  evaluationFile(step: number): string {
    return join(this.evaluations, `${stepName(step)}.json`);
  }

  /** Samples beside the real faces that are nearest to them. */
  neighboursPicture(step: number): string {
    return join(this.evaluations, `nearest-neighbours-${stepName(step)}.png`);
  }

  /** The steps that have a grid of samples, in order. */
  sampleSteps(): Promise<number[]> {
    return stepsIn(this.samples, '.png');
  }

  /** The steps that were evaluated, in order. */
  evaluationSteps(): Promise<number[]> {
    return stepsIn(this.evaluations, '.json');
  }

  async writeOptions(options: object): Promise<void> {
    await writeFileAtomically(this.optionsFile, `${JSON.stringify(options, undefined, 2)}\n`);
  }

  /** Another one for each run; undefined for one of a version that gave none. */
  async id(): Promise<string | undefined> {
    const { id } = await this.readOptions();
    return typeof id === 'string' ? id : undefined;
  }

  /** Reads options.json. The caller checks the fields that it uses. */
  async readOptions(): Promise<Record<string, unknown>> {
    let text: string;
    try {
      text = await readFile(this.optionsFile, 'utf8');
    } catch (error) {
      throw new UserError(`${this.path} is not a run's directory: it has no readable options.json`, {
        cause: error,
      });
    }
    try {
      const options: unknown = JSON.parse(text);
      if (typeof options === 'object' && options !== null && !Array.isArray(options)) return { ...options };
    } catch {
      // Falls through to the error below: to the user, broken JSON and the wrong JSON are one mistake.
    }
    throw new UserError(`${this.optionsFile} does not hold a JSON object`);
  }
}

/** Run to resume, and the checkpoint if one was named. */
export interface RunPlace {
  readonly run: RunFolder;
  /** Undefined: the newest. */
  readonly checkpoint: string | undefined;
  /**
   * True with --auto-resume: a damaged checkpoint is replaced by the one before it, and a missing one by the run's
   * origin.
   */
  readonly unattended?: boolean;
}

/** Opens a run by its directory or by one of its checkpoints, through whatever links. */
export async function openRunAt(path: string): Promise<RunPlace> {
  if (!(await isFile(path))) return { run: await RunFolder.open(path), checkpoint: undefined };
  const checkpoint = await realpath(path);
  const folder = dirname(checkpoint);
  if (stepOfName(basename(checkpoint), CHECKPOINT_ENDING) === undefined || basename(folder) !== 'checkpoints')
    throw new UserError(
      `${path} is not a checkpoint of a run: give a run's directory, or RUN/checkpoints/step-NUMBER.safetensors`,
    );
  return { run: await RunFolder.open(dirname(folder)), checkpoint };
}

async function stepsIn(folder: string, ending: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  const steps = names.map((name) => stepOfName(name, ending)).filter((step) => step !== undefined);
  return steps.sort((one, other) => one - other);
}

/**
 * Makes the folder after the highest number, which may be a date and time of any length: hence BigInt. mkdir fails for one
 * of two runs that pick the same number.
 */
async function nextNumbered(runs: string): Promise<string> {
  makeFolder(runs);
  let highest = -1n;
  for (const name of await readdir(runs))
    if (/^\d+$/.test(name) && BigInt(name) > highest) highest = BigInt(name);
  for (let number = highest + 1n; ; number++) {
    const path = join(runs, String(number).padStart(5, '0'));
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw unusable(path, error);
    }
  }
}

/** Throws a UserError for a folder that holds anything but what is there before the first step. */
async function requireUnused(run: RunFolder): Promise<void> {
  const isFree =
    (await namesIn(run.path)).every((name) => BEFORE_FIRST_STEP.test(name)) &&
    (await namesIn(run.checkpoints)).every((name) => /^step-\d+\.safetensors\.[\w-]+\.tmp$/.test(name)) &&
    (await namesIn(run.samples)).every((name) => /^step-000000\.png(\.[\w-]+\.tmp)?$/.test(name)) &&
    (await sizeOf(run.statsFile)) === 0;
  if (!isFree) throw occupied(run.path);
}

/** The lock and its copies, files and unfinished files of a run that has not done a step, and what ext4 brings along. */
const BEFORE_FIRST_STEP =
  /^(run\.lock.*|(options\.json|events\.jsonl|reals\.png)(\.[\w-]+\.tmp)?|stats\.jsonl|checkpoints|samples|lost\+found)$/;

/** Bytes of a file; 0 if there is none. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw unusable(path, error);
  }
}

/** Names in a folder; none if there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw unusable(folder, error);
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    // Whoever opens it says what is the matter.
    return false;
  }
}

function makeFolder(path: string): void {
  try {
    createFolder(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

function occupied(path: string): UserError {
  return new UserError(`${path} is not empty: give --run-dir a new folder, or resume its run with --resume`);
}

function unusable(path: string, error: unknown): UserError {
  const file = ['EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '');
  return new UserError(
    `cannot make the run's directory ${path}: ${file ? 'a file is in the way' : messageOf(error)}`,
  );
}
