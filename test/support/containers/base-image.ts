import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { arch } from 'node:process';
import { join } from 'node:path';
import { cacheFolder } from '../../../src/common/files/cache-folder.js';
import { mustRun } from './run-command.js';

const SUITE = 'bookworm';
const LIMIT = 600_000;

/**
 * A plain Debian as a tar, made by debootstrap from where this machine's apt has it. It stays in the cache. Returns its
 * path.
 */
export async function baseArchive(): Promise<string> {
  const folder = join(cacheFolder(), 'test-base');
  const archive = join(folder, `${SUITE}-${arch}.tar`);
  if (await stat(archive).catch(() => undefined)) return archive;
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, '.partial-'));
  try {
    const root = join(work, 'root');
    await mustRun(['debootstrap', '--variant=minbase', SUITE, root, ...(await debianMirror())], {
      limit: LIMIT,
    });
    await rm(join(root, 'var/cache/apt/archives'), { recursive: true, force: true });
    const made = join(work, 'base.tar');
    await mustRun(['tar', '--directory', root, '--create', '--file', made, '.'], { limit: LIMIT });
    await rename(made, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return archive;
}

/** Nothing where apt does not say: then debootstrap takes its own. */
async function debianMirror(): Promise<string[]> {
  const targets = await mustRun(
    ['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', `Codename: ${SUITE}`],
    { limit: LIMIT },
  );
  return targets
    .split('\n')
    .filter((uri) => uri !== '')
    .slice(0, 1);
}
