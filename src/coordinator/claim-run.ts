import { messageOf, UserError } from '../common/errors.js';
import { say } from '../common/log.js';
import type { TrainArguments } from '../options/train-options.js';
import type { RunRequest } from './start-session.js';
import { openRunAt, RunFolder, type RunPlace } from '../run/run-directory.js';
import { RunLock } from '../run/run-lock.js';
import { shown } from '../common/display-path.js';

/** Returns the run to resume, if any: that of --resume, or with --auto-resume the one in --run-dir. */
export async function earlierRun({
  resume,
  autoResume,
  runDir,
}: TrainArguments): Promise<RunPlace | undefined> {
  if (resume !== undefined) return openRunAt(resume);
  if (!autoResume) return undefined;
  if (runDir === undefined)
    throw new UserError('--auto-resume needs to know the directory of the run: give --run-dir DIR');
  const run = await RunFolder.openBegun(runDir);
  return run && { run, checkpoint: undefined, unattended: true };
}

/** Makes the directory of a run that begins, and locks it. */
export async function beginRun(request: RunRequest): Promise<{ folder: RunFolder; lock: RunLock }> {
  const folder = await RunFolder.create(request.arguments.runDir);
  const lock = await lockRun(folder, request);
  if (await folder.hasSteps())
    throw new UserError(
      `another coordinator has begun the run in ${shown(folder.path)}: start this one again`,
    );
  await folder.clear();
  return { folder, lock };
}

/** Locks a run until this process has closed everything that it opened in it. */
export async function lockRun(
  run: RunFolder,
  { arguments: { autoResume }, stop, closing }: RunRequest,
): Promise<RunLock> {
  const taken = autoResume ? await RunLock.takeInTime(run, say, stop.signal) : await RunLock.take(run);
  closing.add(async () => {
    // The next coordinator replaces a lock whose holder is gone: a lock that stays ends no run.
    await taken.release().catch((error: unknown) => {
      say(`cannot remove ${shown(run.lockFile)}: ${messageOf(error)}; the next start replaces it`, {
        level: 'warn',
      });
    });
  });
  return taken;
}
