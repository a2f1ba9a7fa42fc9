import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import wabt from 'wabt';

const FEATURES = { simd: true, bulk_memory: true, threads: true };

/**
 * Asserts that base64 kept in the source is this text of WebAssembly, compiled. After a change to the text, the
 * failure shows what to put into the source.
 */
export async function assertCompiled(code: string, wat: string): Promise<void> {
  const path = join(import.meta.dirname, '../../../src', wat);
  const compiler = await wabt();
  const module = compiler.parseWat(basename(wat), await readFile(path, 'utf8'), FEATURES);
  const compiled = Buffer.from(module.toBinary({}).buffer).toString('base64');
  module.destroy();
  assert.equal(code, compiled);
}
