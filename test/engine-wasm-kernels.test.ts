import { it } from 'node:test';
import { KERNELS_CODE } from '../src/engine/wasm/kernels-code.js';
import { assertCompiled } from './support/compiled-wat.js';

it('kernels-code.ts is kernels.wat, compiled', async () => {
  await assertCompiled(KERNELS_CODE, 'engine/wasm/kernels.wat');
});
