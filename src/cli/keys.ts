import { randomBytes } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { printable } from '#printable';
import { curveKeyPair } from 'zeromq';
import { print } from '../common/console.js';
import { createFolder } from '../common/files/create-folder.js';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { shellQuote } from '../common/shell-quote.js';
import { requireTrustedPlace } from '../common/files/trusted-path.js';
import { publicKeyFile, readKeyPair, readPublicKey, secretKeyFile } from '../wire/key-file.js';
import { COORDINATOR, publicKeyPath, requirePrivateFolder, secretKeyPath } from '../wire/key-folder.js';

const DEFAULT_WORKER = 'worker';

/** In the same folder: what readers of the metrics have to send (`train --http-token-file`). */
export const TOKEN_FILE = 'http.token';

/** Bits of chance in a token. */
const TOKEN_BYTES = 32;

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** `coordinator keys`. */
export async function printMade(folder: string, workers: readonly string[] | undefined): Promise<void> {
  await print(`${await makeKeys(folder, workers)}\n`);
}

/**
 * Makes a pair of keys for each worker, and for the coordinator where the folder has none yet.
 * Existing keys are never written over. Returns, for people, where they go. Rejects with a UserError, and then has written
 * nothing.
 */
export async function makeKeys(folder: string, workers: readonly string[] | undefined): Promise<string> {
  for (const name of workers ?? []) requireName(name);
  await makeFolder(folder);
  const present = new Set(await readdir(folder));
  const has = (name: string): boolean => present.has(`${name}.key`) || present.has(`${name}.key_secret`);
  const names = [...new Set(workers ?? [DEFAULT_WORKER])];
  const known = (workers ? names : [COORDINATOR, ...names]).find(has);
  if (known !== undefined)
    throw new UserError(
      `${folder} has keys of ${known} already, and they stay: add others with --workers NAME..., or give another folder`,
    );
  if (has(COORDINATOR)) await requireCoordinator(folder);
  const made = has(COORDINATOR) ? names : [COORDINATOR, ...names];
  const token = has(COORDINATOR) ? undefined : randomBytes(TOKEN_BYTES).toString('hex');
  await writeAll(folder, made, token);
  return whereTheyGo(folder, made, names);
}

/** Returns whether a folder holds a coordinator's keys. */
export async function hasKeys(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).includes(`${COORDINATOR}.key_secret`);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw new UserError(`cannot read the folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

function requireName(name: string): void {
  if (!/^\w[\w.-]*$/.test(name) || name === COORDINATOR)
    throw new UserError(
      `${name} cannot be a worker's name: take letters, digits, - . _, and not ${COORDINATOR}`,
    );
}

async function makeFolder(folder: string): Promise<void> {
  await requireTrustedPlace(folder, 'cannot make keys in');
  try {
    createFolder(folder, FOLDER_MODE);
  } catch (error) {
    throw new UserError(`cannot make the folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
  await requirePrivateFolder(folder);
}

/** Workers are added where the coordinator's keys are whole: anywhere else theirs would be of no use. */
async function requireCoordinator(folder: string): Promise<void> {
  await readKeyPair(secretKeyPath(folder, COORDINATOR));
  await readPublicKey(publicKeyPath(folder, COORDINATOR));
}

/** All of them or none. */
async function writeAll(folder: string, names: readonly string[], token: string | undefined): Promise<void> {
  const written: string[] = [];
  try {
    if (token !== undefined) await writeNew(join(folder, TOKEN_FILE), `${token}\n`, written);
    for (const name of names) {
      const pair = curveKeyPair();
      await writeNew(secretKeyPath(folder, name), secretKeyFile(pair), written);
      await writeNew(publicKeyPath(folder, name), publicKeyFile(pair), written);
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    if (codeOf(error) === undefined) throw error;
    throw new UserError(`cannot write keys to ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/** Fails if the file exists, also if another process creates it at the same time. */
async function writeNew(path: string, text: string, written: string[]): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  written.push(path);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function whereTheyGo(folder: string, made: readonly string[], workers: readonly string[]): string {
  const lines = [
    `made the keys of ${made.join(', ')} in ${printable(folder)}`,
    `the coordinator's machine needs ${COORDINATOR}.key_secret and the NAME.key of each worker: give train --keys ${shellQuote(folder)}`,
    `a worker's machine needs ${COORDINATOR}.key and its own NAME.key_secret (${workers.join(', ')}) in a folder: give worker --keys FOLDER`,
    `what reads the metrics from other machines needs ${TOKEN_FILE}: give train --http-token-file ${shellQuote(join(folder, TOKEN_FILE))}`,
    "a worker with a NAME.key in the coordinator's folder is admitted; move secrets, never copy them to anybody else",
  ];
  return lines.join('\n');
}
