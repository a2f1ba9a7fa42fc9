import { UserError } from '../../common/errors.js';
import type { TrainingOptions } from '../../model/training-options.js';
import type { RunFolder } from '../run-directory.js';
import { typed } from '../../common/display-path.js';
import { listCheckpoints, stepOf } from './checkpoint-files.js';
import { BrokenCheckpoint, Checkpoint } from './checkpoint.js';

/** Which of a run's checkpoints to open, and what to tell the user if it is broken. */
export interface CheckpointRequest {
  readonly run: RunFolder;
  readonly training: TrainingOptions;
  /** Undefined: the newest. */
  readonly path?: string | undefined;
  /** Advice that follows a colon, such as "resume from the previous one with --resume ...". */
  readonly advise: (word: string) => string;
}

/** The error for a damaged checkpoint names the newest intact one before it. Only the user decides to lose steps. */
export async function openCheckpoint({
  run,
  training,
  path,
  advise,
}: CheckpointRequest): Promise<Checkpoint> {
  const asked = path ?? (await listCheckpoints(run)).at(-1);
  if (asked === undefined) throw new UserError(`${run.path} has no checkpoint to resume from`);
  try {
    return await Checkpoint.open(asked, training);
  } catch (error) {
    if (!(error instanceof BrokenCheckpoint)) throw error;
    const before = await openNewestWhole(run, training, { before: stepOf(asked) });
    await before?.close();
    const advice = before
      ? advise(typed(before.path))
      : 'no checkpoint before it is whole, so start a new run';
    throw new UserError(`${error.message}: ${advice}`, { cause: error });
  }
}

interface NewestWhole {
  /** A step. */
  readonly before?: number;
  readonly onBroken?: (error: BrokenCheckpoint) => void;
}

/** The newest checkpoint that is whole; undefined if none is left. */
export async function openNewestWhole(
  run: RunFolder,
  training: TrainingOptions,
  { before: end = Infinity, onBroken }: NewestWhole = {},
): Promise<Checkpoint | undefined> {
  const older = (await listCheckpoints(run)).filter((path) => stepOf(path) < end);
  for (const path of older.reverse()) {
    try {
      return await Checkpoint.open(path, training);
    } catch (error) {
      if (!(error instanceof BrokenCheckpoint)) throw error;
      onBroken?.(error);
    }
  }
  return undefined;
}
