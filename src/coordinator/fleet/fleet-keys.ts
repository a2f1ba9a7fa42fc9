import { UserError } from '../../common/errors.js';
import { shellQuote } from '../../common/shell-quote.js';
import { SECRET_ENDING } from '../../wire/key-file.js';
import { readListenerSecurity, workerNames } from '../../wire/key-folder.js';
import type { ListenerSecurity } from '../../wire/security.js';

/** The keys of a fleet: the coordinator's own, and what workers of this machine have to be told. */
export interface FleetKeys {
  readonly security: ListenerSecurity;
  /** After the name of the worker's program. */
  readonly localArguments: readonly string[];
}

/** Reads a folder that `coordinator keys` made. Rejects with a UserError. */
export async function readFleetKeys(folder: string, external: boolean): Promise<FleetKeys> {
  const security = await readListenerSecurity(folder);
  if (external) return { security, localArguments: [] };
  const names = await workerNames(folder, SECRET_ENDING);
  if (names.length === 0)
    throw new UserError(
      `no worker's secret key is in ${folder}, and this machine's workers need one: add one with \`coordinator keys ${shellQuote(folder)} --workers local\``,
    );
  return { security, localArguments: ['--keys', folder, '--key-name', names[0]] };
}
