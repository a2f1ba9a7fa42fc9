import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './tool.mjs';

const FEATURES = { simd: true, bulk_memory: true, threads: true };

/** Compiles every .wat below src to a .wasm in the same place of dist. */
export async function compileWebAssembly(dist) {
  // Installed by an earlier step of the set-up.
  const { default: wabt } = await import('wabt');
  const compiler = await wabt();
  const names = await readdir(join(root, 'src'), { recursive: true });
  for (const name of names.filter((each) => each.endsWith('.wat'))) {
    const module = compiler.parseWat(name, await readFile(join(root, 'src', name), 'utf8'), FEATURES);
    await writeFile(join(dist, 'src', name.replace(/wat$/, 'wasm')), module.toBinary({}).buffer);
    module.destroy();
  }
}
