import { UserError } from '../common/errors.js';
import { checkTrainingOptions, type TrainingOptions } from '../model/training-options.js';
import type { InitialFacts } from '../formats/read-initial.js';
import type { TrainArguments } from '../options/train-options.js';
import type { RunFolder } from './run-directory.js';

/** Options that may change on resume: none that affects results. */
const CHANGEABLE: ReadonlySet<string> = new Set([
  'resume',
  'autoResume',
  'runDir',
  'dryRun',
  'data',
  'followLinks',
  'maxBroken',
  'workers',
  'singleNode',
  'external',
  'minWorkers',
  'maxWorkers',
  'topology',
  'sharedMemory',
  'fallback',
  'livenessTimeout',
  'listen',
  'keys',
  'http',
  'httpToken',
  'httpTokenFile',
  'log',
  'epochs',
  'steps',
  'engine',
  'sampleEvery',
  'checkpointEvery',
  'keepCheckpoints',
  'evaluateEvery',
]);

/** Part of options.json that --resume reads. */
export interface SavedArguments {
  readonly arguments: Partial<TrainArguments>;
  readonly training: Partial<TrainArguments>;
}

/** The options that a run was trained with. */
export async function savedTraining(run: RunFolder): Promise<TrainingOptions> {
  const { training } = (await run.readOptions()) as { training?: TrainingOptions };
  if (!training) throw new UserError(`${run.optionsFile} does not hold a run's options`);
  checkTrainingOptions(training);
  return training;
}

/** The arguments that a run was trained with. */
export async function savedArguments(run: RunFolder): Promise<Partial<TrainArguments>> {
  return ((await run.readOptions()) as Partial<SavedArguments>).arguments ?? {};
}

/** Facts about the initial weights of a run; undefined if it started from its seed. */
export async function savedInitial(run: RunFolder): Promise<InitialFacts | undefined> {
  const { init } = (await run.readOptions()) as { init?: InitialFacts };
  return init;
}

/** The arguments of an earlier run, with those on top that were typed now and may be. */
export async function resumeArguments(
  run: RunFolder,
  given: TrainArguments,
  typed: ReadonlySet<string>,
): Promise<TrainArguments> {
  const saved = (await run.readOptions()) as Partial<SavedArguments>;
  if (!saved.arguments || !saved.training)
    throw new UserError(`${run.optionsFile} does not hold a run's options`);
  const fixed = { ...saved.arguments, ...saved.training } as Record<string, unknown>;
  const now = Object.entries(given).filter(([name]) => typed.has(name));
  for (const [name, value] of now)
    if (!CHANGEABLE.has(name) && fixed[name] !== value)
      throw new UserError(
        `the run has ${name in fixed ? `${optionName(name)} ${String(fixed[name])}` : `no ${optionName(name)}`}, ` +
          `which cannot become ${String(value)} on resume: start a new run`,
      );
  const said = Object.fromEntries(now) as Partial<TrainArguments>;
  // The run stays where it is, and who starts it says how it logs and resumes. One way of computing replaces the other;
  // a number of steps, a number of epochs.
  const dropped = new Set(['runDir', 'autoResume', 'log']);
  if (said.singleNode) for (const name of ['workers', 'external', 'listen', 'keys']) dropped.add(name);
  if (said.workers !== undefined) dropped.add('singleNode');
  if (said.epochs !== undefined && said.steps === undefined) dropped.add('steps');
  const kept = Object.fromEntries(Object.entries(fixed).filter(([name]) => !dropped.has(name)));
  return { ...given, ...kept, ...said };
}

/** learningRate -> --learning-rate */
function optionName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
