import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { print } from '../common/console.js';
import { say } from '../common/log.js';
import { messageOf, UserError } from '../common/errors.js';
import { shellQuote } from '../common/shell-quote.js';
import { requireTrusted } from '../common/files/trusted-path.js';
import { PUBLIC_ENDING, SECRET_ENDING } from '../wire/key-file.js';
import { COORDINATOR, requirePrivateFolder, workerNames } from '../wire/key-folder.js';
import { hasKeys, makeKeys, TOKEN_FILE } from './keys.js';

interface SecretManifest {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly type: 'Opaque';
  /** File name to what is in it, in base 64. */
  readonly data: Readonly<Record<string, string>>;
}

/**
 * `coordinator keys DIR --kubernetes`: the folder's keys as Secrets that `kubectl apply -f -` takes; made first where
 * there are none. The coordinator's and the workers' are apart: a worker's pod sees no secret but its own. Workers are
 * alike there, and have one pair of keys among them: the only one in the folder, or the first by name.
 */
export async function printSecrets(folder: string): Promise<void> {
  if (!(await hasKeys(folder))) for (const line of (await makeKeys(folder, undefined)).split('\n')) say(line);
  await requirePrivateFolder(folder);
  const worker = (await workerNames(folder, SECRET_ENDING)).at(0);
  if (worker === undefined)
    throw new UserError(
      `no worker's secret key is in ${folder}: add one with \`coordinator keys ${shellQuote(folder)} --workers worker\``,
    );
  const publicKeys = (await workerNames(folder, PUBLIC_ENDING)).map((name) => `${name}${PUBLIC_ENDING}`);
  const items = [
    await secret(folder, 'coordinator', [`${COORDINATOR}${SECRET_ENDING}`, ...publicKeys, TOKEN_FILE]),
    await secret(folder, 'worker', [`${COORDINATOR}${PUBLIC_ENDING}`, `${worker}${SECRET_ENDING}`]),
  ];
  // JSON is YAML.
  await print(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`);
}

async function secret(folder: string, component: string, files: readonly string[]): Promise<SecretManifest> {
  const data: Record<string, string> = {};
  for (const file of files) data[file] = (await readWhole(join(folder, file))).toString('base64');
  const labels = { 'app.kubernetes.io/name': 'dcgan-trainer', 'app.kubernetes.io/component': component };
  const metadata = { name: `dcgan-${component}`, labels };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
}

async function readWhole(path: string): Promise<Buffer> {
  await requireTrusted(path, 'cannot hand on');
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
