import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { readAnalysis, writeAnalysis } from '../src/evaluation/descriptor-cache.js';
import { DESCRIPTOR_LENGTH } from '../src/evaluation/face-analysis.js';

it('a analysis of real faces is read back as it was written, and never for another or with a byte changed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'evaluation-analysed-'));
  try {
    const path = join(folder, 'analysed.json');
    const analysis = {
      found: Uint8Array.of(1, 0, 1),
      descriptors: Float32Array.from({ length: 3 * DESCRIPTOR_LENGTH }, (_, index) => index / 7),
    };
    assert.equal(await readAnalysis(path, 'key', 3), undefined);
    await writeAnalysis(path, 'key', analysis);
    assert.deepEqual(await readAnalysis(path, 'key', 3), analysis);
    assert.equal(await readAnalysis(path, 'another key', 3), undefined);
    assert.equal(await readAnalysis(path, 'key', 2), undefined);
    const text = await readFile(path, 'utf8');
    const saved = JSON.parse(text) as Record<string, string>;
    const { descriptors } = saved;
    const other = descriptors.startsWith('A') ? 'B' : 'A';
    const changed = { ...saved, descriptors: `${other}${descriptors.slice(1)}` };
    const withoutDigest = { ...saved, digest: undefined };
    for (const damaged of [
      ...[changed, withoutDigest].map((each) => JSON.stringify(each)),
      '',
      'null',
      text.slice(0, -9),
    ]) {
      await writeFile(path, damaged);
      assert.equal(await readAnalysis(path, 'key', 3), undefined, damaged.slice(0, 40));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
