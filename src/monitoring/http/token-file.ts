import type { Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, UserError } from '../../common/errors.js';
import { Secret } from '../../common/secret.js';
import { requireTrusted } from '../../common/files/trusted-path.js';
import { isPrivate } from '../../wire/key-file.js';

interface TokenGiven {
  readonly httpToken?: Secret;
  readonly httpTokenFile?: string;
}

/** A file with one token, such as a mounted secret. Rejects with a UserError if it cannot be read or is empty. */
async function readTokenFile(path: string): Promise<Secret> {
  await requireTrusted(path, 'cannot trust --http-token-file');
  let text: string;
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    requirePrivate(path, await file.stat());
    text = (await file.readFile('utf8')).trim();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read --http-token-file ${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    await file?.close();
  }
  if (text === '')
    throw new UserError(
      `--http-token-file ${path} is empty: put what \`openssl rand -hex 32\` prints into it`,
    );
  return new Secret(text);
}

/** A pipe, such as a shell's <(...), belongs to this user. */
function requirePrivate(path: string, stats: Stats): void {
  if (process.platform === 'win32' || !stats.isFile() || isPrivate(stats, process.geteuid?.())) return;
  throw new UserError(
    `other users can read --http-token-file ${path} (mode ${(stats.mode & 0o777).toString(8)}); run chmod 600 on it, ` +
      'and put a new token into it',
  );
}

/** Returns the options with the token from the file, if one was named. */
export async function withTokenOfFile<Given extends TokenGiven>(given: Given): Promise<Given> {
  const { httpTokenFile } = given;
  return httpTokenFile === undefined ? given : { ...given, httpToken: await readTokenFile(httpTokenFile) };
}
