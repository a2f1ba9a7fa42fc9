import { readFile } from 'node:fs/promises';
import { readSafetensors, type FixtureTensor } from './safetensors.js';

/** A file of test/fixtures/pytorch; the README there says what each holds. */
function fixture(name: string): URL {
  return new URL(`../../../test/fixtures/pytorch/${name}`, import.meta.url);
}

export function readFixture(name: string): Promise<ReadonlyMap<string, FixtureTensor>> {
  return readSafetensors(fixture(name));
}

/** The caller says what the file holds. */
export async function readNumbers(name: string): Promise<unknown> {
  return JSON.parse(await readFile(fixture(name), 'utf8'));
}
