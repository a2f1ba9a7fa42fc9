import { copyFile, mkdir, readlink, realpath, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../../common/errors.js';
import { tfjsNodeFolder } from './binding-source.js';
import { BINDING, type NativeEngine } from './engine-folder.js';

/** Puts the engine's binding where tfjs-node-gpu requires it. To be called before that package is imported. */
export async function linkBinding(engine: NativeEngine, packageFolder = tfjsNodeFolder()): Promise<void> {
  const path = join(packageFolder, 'lib/napi-v8', BINDING);
  // Where it really lies: a cache may be reached by links that do not last.
  const binding = await realpath(engine.bindingPath);
  if ((await readlink(path).catch(() => undefined)) === binding) return;
  await mkdir(dirname(path), { recursive: true });
  // Renamed into place: workers that start at the same time find the old one or the new one.
  const temporary = `${path}.${process.pid}`;
  await rm(temporary, { force: true });
  try {
    await symlink(binding, temporary);
  } catch (error) {
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error;
    await copyFile(binding, temporary);
  }
  await rename(temporary, path);
}
