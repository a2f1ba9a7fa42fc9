import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../common/errors.js';
import { say } from '../common/log.js';
import { onStopSignals } from '../common/process/stop-signals.js';
import { LiveSite } from '../monitoring/live/api.js';
import { ShownRun } from '../monitoring/live/run-view.js';
import { formatHttpAddress, parseHttpAddress, requireToken } from '../common/http-address.js';
import { startHttpServer } from '../monitoring/http/server.js';
import { withTokenOfFile } from '../monitoring/http/token-file.js';
import type { HttpTokenArguments } from '../options/train-options.js';
import { RunFolder } from '../run/run-directory.js';
import { shown } from '../common/display-path.js';

/** Most runs whose curves can be distinguished and read in time. */
const MOST_RUNS = 16;

export interface ViewArguments extends HttpTokenArguments {
  readonly http: string;
}

/** `coordinator view`: the page of runs that are over, or that another coordinator trains. Ends with Ctrl-C. */
export async function view(path: string, given: ViewArguments): Promise<void> {
  const { http, httpToken } = await withTokenOfFile(given);
  const address = parseHttpAddress(http);
  requireToken(address, httpToken);
  const runs = await runsAt(resolve(path));
  const site = new LiveSite({ runs: runs.map((run) => ShownRun.of(run, basename(run.path))) });
  const server = await startHttpServer({ ...address, site, token: httpToken });
  say(
    `${runs.length === 1 ? 'the run' : `${runs.length} runs`} at http://${formatHttpAddress(server.address)}/ (Ctrl-C ends)`,
  );
  let release = (): void => undefined;
  await new Promise((resolve) => (release = onStopSignals(resolve)));
  release();
  await server.close();
}

/** The run in this folder, or those in its folders. */
async function runsAt(path: string): Promise<RunFolder[]> {
  const run = await RunFolder.openBegun(path);
  if (run) return [run];
  const names = await readdir(path).catch(() => {
    throw new UserError(`${shown(path)} is no folder: give a run's directory, or one that holds runs`);
  });
  const found: RunFolder[] = [];
  for (const name of names.sort()) {
    const each = await RunFolder.openBegun(join(path, name));
    if (each) found.push(each);
  }
  if (found.length === 0)
    throw new UserError(`there is no run in ${shown(path)}: give a run's directory, or one that holds runs`);
  if (found.length > MOST_RUNS)
    say(`${found.length} runs are in ${shown(path)}: the newest ${MOST_RUNS} are shown`, { level: 'warn' });
  return found.slice(-MOST_RUNS);
}
