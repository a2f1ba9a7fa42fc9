import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The folder of tfjs-node-gpu, which has its binding's C++ sources in it and looks for the binding there. */
export function tfjsNodeFolder(): string {
  return dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
}

/** Node's C headers, from npm: a machine with Node on it need not have them. */
export function nodeHeadersFolder(): string {
  return join(dirname(require.resolve('node-api-headers/package.json')), 'include');
}

export interface BindingSource {
  readonly folder: string;
  /** Files to be compiled, absolute. */
  readonly files: readonly string[];
  /** Names the contents: an engine made of other sources is another engine. */
  readonly key: string;
}

export async function readBindingSource(): Promise<BindingSource> {
  const folder = join(tfjsNodeFolder(), 'binding');
  const names = (await readdir(folder)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`\0${name}\0`).update(await readFile(join(folder, name)));
  const files = names.filter((name) => name.endsWith('.cc')).map((name) => join(folder, name));
  return { folder, files, key: hash.digest('hex').slice(0, 12) };
}
