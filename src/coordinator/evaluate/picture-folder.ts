import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, UserError } from '../../common/errors.js';
import { requireTemporaryFolder } from '../../common/temporary-folder.js';

/**
 * Calls `work` with an image folder that holds these pictures: the folder itself, or one that leads to it where the
 * pictures lie directly in it, as `generate --each` writes them.
 */
export async function withImageFolder<Result>(
  folder: string,
  work: (root: string, followLinks: boolean) => Promise<Result>,
): Promise<Result> {
  if (await holdsFolders(folder)) return work(resolve(folder), false);
  requireTemporaryFolder();
  const root = await mkdtemp(join(tmpdir(), 'dcgan-pictures-'));
  try {
    await symlink(resolve(folder), join(root, 'pictures'), 'junction');
    return await work(root, true);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function holdsFolders(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder, { withFileTypes: true })).some((entry) => entry.isDirectory());
  } catch (error) {
    throw new UserError(`cannot read ${folder}: give a run, or a folder of pictures (${messageOf(error)})`);
  }
}
