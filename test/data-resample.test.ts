import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import wabt from 'wabt';
import { RESAMPLE_CODE } from '../src/data/resample-code.js';

/** After a change to resample.wat, this test's failure shows what to put into resample-code.ts. */
it('resample-code.ts is resample.wat, compiled', async () => {
  const path = join(import.meta.dirname, '../../src/data/resample.wat');
  const compiler = await wabt();
  const module = compiler.parseWat('resample.wat', await readFile(path, 'utf8'), { simd: true });
  module.validate();
  const code = Buffer.from(module.toBinary({}).buffer).toString('base64');
  module.destroy();
  assert.equal(RESAMPLE_CODE, code);
});
