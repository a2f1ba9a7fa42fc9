import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { syncFolder } from './atomic-file.js';
import { createFolder } from './create-folder.js';
import { codeOf, messageOf, UserError } from '../errors.js';
import { writeFailure } from './write-failure.js';

/**
 * Makes a folder whole or not at all: `fill` writes into a temporary one beside it, which is renamed. It must be new or
 * empty; `option` names what the user gave it by. Files are for `fill` to sync.
 */
export async function makeFolderAtomically(
  path: string,
  option: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const refused = (why: string): UserError => new UserError(`${path} ${why}: give ${option} a new folder`);
  const target = await emptyOrNew(resolve(path), refused);
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    createFolder(dirname(target));
    await mkdir(temporary);
  } catch (error) {
    throw refused(`cannot be made (${messageOf(error)})`);
  }
  try {
    await fill(temporary);
    await syncFolder(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    // Somebody else was faster.
    if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw refused('is not empty');
    throw writeFailure(path, error);
  }
  await syncFolder(dirname(target));
}

/** The path that links lead to. */
async function emptyOrNew(path: string, refused: (why: string) => UserError): Promise<string> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path;
    throw codeOf(error) === 'ENOTDIR'
      ? refused('is a file')
      : refused(`cannot be read (${messageOf(error)})`);
  }
  if (names.length > 0) throw refused('is not empty');
  return realpath(path);
}
