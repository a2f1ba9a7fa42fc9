import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Flavour, Target } from './target.js';
import { TENSORFLOW_VERSION } from './target.js';

/** A native engine in the cache, whole. */
export interface NativeEngine {
  readonly kind: 'native';
  readonly folder: string;
  readonly bindingPath: string;
  readonly tensorflowVersion: string;
  readonly flavour: Flavour;
}

/** A Python package that an engine's libraries come from. */
export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of its wheel, if pip reported it. */
  readonly sha256?: string;
}

interface Manifest {
  readonly tensorflowVersion: string;
  readonly flavour: Flavour;
  /** Contents of the engine; absent in older engines. */
  readonly packages?: readonly PythonPackage[];
  /** Bytes of each file, by its path in the folder. */
  readonly sizes: Readonly<Record<string, number>>;
}

const MANIFEST = 'engine.json';
export const BINDING = 'tfjs_binding.node';

/** Folder of all engines of a cache. */
export function enginesFolder(cache: string): string {
  return join(cache, 'engine');
}

/**
 * Name of an engine, derived from everything that it is made of: a change creates a new one, and processes that use
 * the old one keep it.
 */
export function engineName({ flavour, architecture }: Target, bindingKey: string): string {
  return `${flavour}-${architecture}-${TENSORFLOW_VERSION}-${bindingKey}`;
}

/** The engine in a folder, or undefined if it is not there or not whole. Reads no more than file sizes. */
export async function readEngine(folder: string): Promise<NativeEngine | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Manifest;
    for (const [path, size] of Object.entries(manifest.sizes)) {
      if ((await stat(join(folder, path))).size !== size) return undefined;
    }
    const { tensorflowVersion, flavour } = manifest;
    return { kind: 'native', folder, bindingPath: join(folder, BINDING), tensorflowVersion, flavour };
  } catch {
    return undefined; // made again by the next set-up
  }
}

/** Written last: it declares the folder whole. */
export async function writeManifest(
  folder: string,
  flavour: Flavour,
  packages: readonly PythonPackage[],
  paths: readonly string[],
): Promise<void> {
  const sizes: Record<string, number> = {};
  for (const path of paths) sizes[path] = (await stat(join(folder, path))).size;
  const manifest: Manifest = { tensorflowVersion: TENSORFLOW_VERSION, flavour, packages, sizes };
  await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
}
