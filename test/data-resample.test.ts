import { it } from 'node:test';
import { RESAMPLE_CODE } from '../src/data/pixels/resample-code.js';
import { assertCompiled } from './support/compiled-wat.js';

it('resample-code.ts is resample.wat, compiled', async () => {
  await assertCompiled(RESAMPLE_CODE, 'data/resample.wat');
});
