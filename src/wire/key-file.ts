import { createPrivateKey, createPublicKey } from 'node:crypto';
import { constants, open, type FileHandle } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { requireTrusted } from '../common/files/trusted-path.js';
import type { KeyPair } from './security.js';
import { decodeZ85, encodeZ85 } from './z85.js';

/** Key files as pyzmq and CZMQ write them: NAME.key is public, NAME.key_secret holds both keys. */
export const PUBLIC_ENDING = '.key';
export const SECRET_ENDING = '.key_secret';

/** A key file has some 500 bytes. */
const MAX_FILE_BYTES = 64 * 1024;

/** Group and others may do nothing. */
const OTHERS = 0o077;

/** Mode bits that are allowed if another user owns the file, such as a mounted secret: its group may read. */
const OTHERS_BUT_READERS = 0o037;

const KEY_BYTES = 32;

/** Prefix of the 32 bytes of a X25519 key in PKCS #8. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

export function publicKeyFile({ publicKey }: Pick<KeyPair, 'publicKey'>): string {
  return `#   ZeroMQ CURVE Public Certificate: may be read by everybody.\n\nmetadata\ncurve\n    public-key = "${publicKey}"\n`;
}

export function secretKeyFile({ publicKey, secretKey }: KeyPair): string {
  return (
    '#   ZeroMQ CURVE **Secret** Certificate: keep it on the machine that uses it, unreadable to others.\n\n' +
    `metadata\ncurve\n    public-key = "${publicKey}"\n    secret-key = "${secretKey}"\n`
  );
}

/** Rejects with a UserError for a file that is missing or holds no key. */
export async function readPublicKey(path: string): Promise<string> {
  return requireKey(path, await readKeyFile(path), 'public-key');
}

/** Rejects with a UserError also for a file that others may read, and for keys that are no pair. */
export async function readKeyPair(path: string): Promise<KeyPair> {
  const text = await readKeyFile(path, async (file) => {
    // Windows has no such bits.
    if (process.platform !== 'win32' && !isPrivate(await file.stat(), process.geteuid?.()))
      throw new UserError(`others may read or write the secret key ${path}: chmod 600 it, or make new keys`);
  });
  const secretKey = requireKey(path, text, 'secret-key');
  const publicKey = requireKey(path, text, 'public-key');
  if (publicKeyOf(secretKey) !== publicKey)
    throw new UserError(`the two keys in ${path} are no pair: copy the file again, or make new keys`);
  return { publicKey, secretKey };
}

/** Returns whether only this user can read a file; of another owner's, also the group that this user must be in to read it. */
export function isPrivate(
  { mode, uid }: { readonly mode: number; readonly uid: number },
  user?: number,
): boolean {
  return (mode & (uid === user ? OTHERS : OTHERS_BUT_READERS)) === 0;
}

async function readKeyFile(
  path: string,
  check: (file: FileHandle) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  let file: FileHandle | undefined;
  try {
    // A pipe of that name must not block.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await check(file);
    await requireTrusted(path, 'cannot trust the key');
    const bytes = Buffer.alloc(MAX_FILE_BYTES);
    const { bytesRead } = await file.read(bytes, 0, MAX_FILE_BYTES, 0);
    return bytes.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (codeOf(error) === 'ENOENT')
      throw new UserError(
        `there is no key ${path}: copy it there, or make keys with \`coordinator keys DIR\``,
      );
    throw new UserError(`cannot read the key ${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    await file?.close();
  }
}

/** An entry of the section `curve`; ZeroMQ's format of configuration files (RFC 4), as far as key files use it. */
function requireKey(path: string, text: string, entry: 'public-key' | 'secret-key'): string {
  let section = '';
  for (const line of text.split(/\r?\n/).filter((each) => !/^\s*(#|$)/.test(each))) {
    const indented = /^\s/.test(line);
    if (!indented) section = line.trim();
    const groups = /^\s+(?<name>[\w-]+)\s*=\s*(?<quote>["'])(?<value>.*)\k<quote>\s*$/.exec(line)?.groups;
    if (section === 'curve' && groups?.['name'] === entry && decodeZ85(groups['value'])?.length === KEY_BYTES)
      return groups['value'];
  }
  throw new UserError(
    `${path} is no key file: it has no ${entry} of 40 characters in its section curve; copy it again, or make new keys`,
  );
}

/** The public key that belongs to a secret one: CURVE's keys are X25519's. */
function publicKeyOf(secretKey: string): string {
  const secret = decodeZ85(secretKey) ?? Buffer.alloc(0);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return encodeZ85(spki.subarray(-KEY_BYTES));
}
