import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Lock } from '#lock';
import { HEADERS, LIBRARIES } from './compiler.js';
import type { PythonPackage } from './engine-folder.js';
import { DAY, ProvisionFailure, RETRY } from './failure.js';
import { downloadArguments, installArguments, runPip } from './pip.js';
import type { Target } from './target.js';
import type { Command, ToolOptions } from './tool.js';
import { unpackWheel } from './wheel.js';

interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly lock: Lock;
  readonly log: (line: string) => void;
}

/**
 * Puts TensorFlow's libraries and headers into tensorflow/ of a folder, and for GPUs NVIDIA's into nvidia/. Returns
 * the packages that they come from.
 */
export async function fetchTensorflow(
  pip: Command,
  target: Target,
  into: string,
  { environment, lock, log }: Surroundings,
): Promise<readonly PythonPackage[]> {
  const fetched = join(into, 'fetched');
  const options: ToolOptions = {
    environment: { ...environment, TMPDIR: into }, // pip unpacks there: on the disk whose room was checked
    lock,
    show: process.stderr.isTTY,
  };
  let packages: readonly PythonPackage[];
  if (target.flavour === 'cpu') {
    await runPip(pip, downloadArguments(target, fetched), options);
    log('engine: unpacking the libraries');
    const wheel = await findWheel(fetched);
    packages = [{ ...nameAndVersion(basename(wheel)), sha256: await hashFile(wheel) }];
    await unpackWheel(wheel, [...LIBRARIES, ...headerPaths()].map(inTensorflow), into);
  } else {
    await runPip(pip, installArguments(target, fetched), options);
    packages = await installedPackages(fetched);
    await moveLibraries(fetched, into);
  }
  await rm(fetched, { recursive: true, force: true });
  return packages;
}

/** From the name of a wheel or of a dist-info folder. */
function nameAndVersion(file: string): PythonPackage {
  const [name, version] = file.replace(/\.dist-info$/, '').split('-');
  return { name: name.replaceAll('_', '-'), version };
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Those whose libraries we keep. pip threw their wheels away. */
async function installedPackages(folder: string): Promise<readonly PythonPackage[]> {
  const names = (await readdir(folder)).filter((name) =>
    /^(tensorflow|nvidia_.*)-[^-]+\.dist-info$/.test(name),
  );
  return names.sort().map(nameAndVersion);
}

async function findWheel(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new ProvisionFailure('pip downloaded no wheel', RETRY, DAY);
  return join(folder, name);
}

/** TensorFlow looks for CUDA in ../nvidia of its own folder, so the two keep their places; Python's part stays. */
async function moveLibraries(from: string, into: string): Promise<void> {
  await mkdir(join(into, 'tensorflow'));
  for (const path of [...LIBRARIES, 'include'].map(inTensorflow))
    await rename(join(from, path), join(into, path));
  await rename(join(from, 'nvidia'), join(into, 'nvidia'));
}

function headerPaths(): readonly string[] {
  return HEADERS.map((header) => `include/${header}`);
}

function inTensorflow(path: string): string {
  return `tensorflow/${path}`;
}
