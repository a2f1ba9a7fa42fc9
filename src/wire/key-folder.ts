import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { shellQuote } from '../common/shell-quote.js';
import { requireTrusted } from '../common/files/trusted-path.js';
import { PUBLIC_ENDING, readKeyPair, readPublicKey, SECRET_ENDING } from './key-file.js';
import type { LinkSecurity, ListenerSecurity } from './security.js';

/** Whose key a worker must know. All others in a folder are workers'. */
export const COORDINATOR = 'coordinator';

export function publicKeyPath(folder: string, name: string): string {
  return join(folder, `${name}${PUBLIC_ENDING}`);
}

export function secretKeyPath(folder: string, name: string): string {
  return join(folder, `${name}${SECRET_ENDING}`);
}

/** The coordinator's secret key, and the public keys of all workers in the folder. Rejects with a UserError. */
export async function readListenerSecurity(folder: string): Promise<ListenerSecurity> {
  await requirePrivateFolder(folder);
  const { secretKey } = await readKeyPair(secretKeyPath(folder, COORDINATOR));
  const workers = await workerNames(folder, PUBLIC_ENDING);
  if (workers.length === 0)
    throw new UserError(`no worker has a public key in ${folder}: put NAME.key of each worker there`);
  const keys = await Promise.all(workers.map((name) => readPublicKey(publicKeyPath(folder, name))));
  return { secretKey, admitted: new Set(keys) };
}

/**
 * A worker's own keys and the public key of its coordinator. `name`: whose keys; the only worker's in the folder by
 * default. Rejects with a UserError.
 */
export async function readLinkSecurity(folder: string, name?: string): Promise<LinkSecurity> {
  await requirePrivateFolder(folder);
  const serverKey = await readPublicKey(publicKeyPath(folder, COORDINATOR));
  const own = await readKeyPair(secretKeyPath(folder, name ?? (await onlyWorker(folder))));
  return { ...own, serverKey };
}

async function onlyWorker(folder: string): Promise<string> {
  const names = await workerNames(folder, SECRET_ENDING);
  if (names.length === 0)
    throw new UserError(`no worker has a secret key in ${folder}: put the NAME.key_secret of this one there`);
  if (names.length > 1)
    throw new UserError(
      `${folder} holds the secret keys of several workers (${names.join(', ')}): give --key-name NAME`,
    );
  return names[0];
}

/** Workers that have a key of this kind in the folder, sorted. */
export async function workerNames(folder: string, ending: string): Promise<string[]> {
  const names = (await readKeyFolder(folder)).filter((file) => file.endsWith(ending));
  return names
    .map((file) => file.slice(0, -ending.length))
    .filter((name) => name !== COORDINATOR && name !== '')
    .sort();
}

async function readKeyFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new UserError(
        `there is no folder ${folder}: make keys with \`coordinator keys ${shellQuote(folder)}\``,
      );
    throw new UserError(`cannot read the keys in ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/** Rejects with a UserError for a folder into which others may put keys: a public key in it is admitted. */
export async function requirePrivateFolder(folder: string): Promise<void> {
  await readKeyFolder(folder);
  await requireTrusted(folder, 'cannot trust the keys in');
}
