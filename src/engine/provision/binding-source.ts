import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** The folder of tfjs-node-gpu, which has its binding's C++ sources in it and looks for the binding there. */
export function tfjsNodeFolder(): string {
  return dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
}

/** Node's C headers, from npm: a machine with Node on it need not have them. */
export function nodeHeadersFolder(): string {
  return join(dirname(require.resolve('node-api-headers/package.json')), 'include');
}

/** The build copies it beside the compiled TypeScript. */
const OWN_KERNELS = fileURLToPath(new URL('../native/kernels', import.meta.url));

export interface BindingSource {
  /** Files to be compiled, absolute. */
  readonly files: readonly string[];
  /** Names the contents: an engine made of other sources is another engine. */
  readonly key: string;
}

/** tfjs-node's binding, and kernels of our own that it brings to TensorFlow. */
export async function readBindingSource(): Promise<BindingSource> {
  const folders = [join(tfjsNodeFolder(), 'binding'), OWN_KERNELS];
  const hash = createHash('sha256');
  const files: string[] = [];
  for (const folder of folders)
    for (const name of (await readdir(folder)).sort()) {
      const file = join(folder, name);
      hash.update(`\0${name}\0`).update(await readFile(file));
      if (name.endsWith('.cc')) files.push(file);
    }
  return { files, key: hash.digest('hex').slice(0, 12) };
}
