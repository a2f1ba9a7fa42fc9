import { mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { writeFileAtomically } from '../../common/atomic-file.js';
import { codeOf, messageOf, UserError } from '../../common/errors.js';

/** Where runs are numbered when no folder is named. */
export const RUNS_FOLDER = 'runs';

/** A run's directory: knows the name of everything that a run leaves. */
export class RunFolder {
  private constructor(readonly path: string) {}

  /** Claims a new folder: the one named, which must not exist or be empty, or the next number in runs/. */
  static async create(named?: string, runs = RUNS_FOLDER): Promise<RunFolder> {
    const path = named === undefined ? await nextNumbered(resolve(runs)) : await emptyFolder(resolve(named));
    const run = new RunFolder(path);
    await claim(run);
    return run;
  }

  /**
   * The same for a folder that may be left by a coordinator that ended before its run began. Of two that have it, only
   * the one with its lock may go on.
   */
  static async createAgain(named: string): Promise<RunFolder> {
    const run = new RunFolder(resolve(named));
    await makeFolder(run.path, { recursive: true });
    if (!(await readdir(run.path)).every((name) => isLeftOfBeginning(name))) throw occupied(run.path);
    await makeFolder(run.checkpoints, { recursive: true });
    await makeFolder(run.samples, { recursive: true });
    return run;
  }

  /** Opens what an earlier run has left, if it has begun. */
  static async openBegun(path: string): Promise<RunFolder | undefined> {
    const run = new RunFolder(resolve(path));
    if (!(await isFile(run.optionsFile))) return undefined;
    return RunFolder.open(run.path);
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
  /** Says who trains here; see `RunLock`. */
  get lockFile(): string {
    return join(this.path, 'run.lock');
  }
  get statsFile(): string {
    return join(this.path, 'stats.jsonl');
  }
  /** What happened to the run: a JSON object a line. */
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
  /** How face-like the samples were at some steps. */
  get evaluations(): string {
    return join(this.path, 'evaluation');
  }
  /** What the face networks say of real faces: the same at every step. */
  get judgedReals(): string {
    return join(this.evaluations, 'real-faces.json');
  }
  get generator(): string {
    return join(this.path, 'generator');
  }

  samplePicture(step: number): string {
    return join(this.samples, `${stepName(step)}.png`);
  }

  checkpointFile(step: number): string {
    return join(this.checkpoints, `${stepName(step)}.safetensors`);
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
    return stepsIn(this.samples, /^step-(\d+)\.png$/);
  }

  /** The steps that were evaluated, in order. */
  evaluationSteps(): Promise<number[]> {
    return stepsIn(this.evaluations, /^step-(\d+)\.json$/);
  }

  async writeOptions(options: object): Promise<void> {
    await writeFileAtomically(this.optionsFile, `${JSON.stringify(options, undefined, 2)}\n`);
  }

  /** Another one for each run; undefined for one of a version that gave none. */
  async id(): Promise<string | undefined> {
    const { id } = await this.readOptions();
    return typeof id === 'string' ? id : undefined;
  }

  /** options.json as it stands; whoever uses a field checks it. */
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

/** Where a user wants to go on: a run, and one of its checkpoints where one was named. */
export interface RunPlace {
  readonly run: RunFolder;
  /** Undefined: the newest. */
  readonly checkpoint: string | undefined;
  /** Nobody looks on: a broken checkpoint gives way to the one before, and none to the beginning. */
  readonly unattended?: boolean;
}

/** Opens a run by its directory or by one of its checkpoints, through whatever links. */
export async function openRunAt(path: string): Promise<RunPlace> {
  if (!(await isFile(path))) return { run: await RunFolder.open(path), checkpoint: undefined };
  const checkpoint = await realpath(path);
  const folder = dirname(checkpoint);
  if (!/^step-\d+\.safetensors$/.test(basename(checkpoint)) || basename(folder) !== 'checkpoints')
    throw new UserError(
      `${path} is not a checkpoint of a run: give a run's directory, or RUN/checkpoints/step-NUMBER.safetensors`,
    );
  return { run: await RunFolder.open(dirname(folder)), checkpoint };
}

/** "step-000500": sorts by name up to a million steps. */
function stepName(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}

async function stepsIn(folder: string, name: RegExp): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  const steps = names.map((each) => Number(name.exec(each)?.[1] ?? Number.NaN));
  return steps.filter((step) => Number.isSafeInteger(step)).sort((one, other) => one - other);
}

/** Makes the folder after the highest number. mkdir fails for one of two runs that pick the same number. */
async function nextNumbered(runs: string): Promise<string> {
  await makeFolder(runs, { recursive: true });
  const numbers = (await readdir(runs)).filter((name) => /^\d+$/.test(name)).map(Number);
  for (let number = Math.max(-1, ...numbers) + 1; ; number++) {
    const path = join(runs, String(number).padStart(5, '0'));
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw unusable(path, error);
    }
  }
}

async function emptyFolder(path: string): Promise<string> {
  await makeFolder(path, { recursive: true });
  if ((await readdir(path)).length > 0) throw occupied(path);
  return path;
}

/** Of two runs that found the same folder empty, only one can make its sub-folder. */
async function claim(run: RunFolder): Promise<void> {
  try {
    await mkdir(run.checkpoints);
    await mkdir(run.samples);
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? occupied(run.path) : unusable(run.path, error);
  }
}

/** What is there before options.json: the two folders, the lock and its copies, and what was not finished. */
function isLeftOfBeginning(name: string): boolean {
  return name === 'checkpoints' || name === 'samples' || name.startsWith('run.lock') || name.endsWith('.tmp');
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    // Whoever opens it says what is the matter.
    return false;
  }
}

async function makeFolder(path: string, options: { recursive: boolean }): Promise<void> {
  try {
    await mkdir(path, options);
  } catch (error) {
    throw unusable(path, error);
  }
}

function occupied(path: string): UserError {
  return new UserError(
    `${path} is not empty: give --run-dir a new folder, or go on with its run by --resume`,
  );
}

function unusable(path: string, error: unknown): UserError {
  const file = ['EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '');
  return new UserError(
    `cannot make the run's directory ${path}: ${file ? 'a file is in the way' : messageOf(error)}`,
  );
}
