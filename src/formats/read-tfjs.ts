import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, UserError } from '../common/errors.js';
import type { ForeignWeights, StoredWeight } from './foreign-weights.js';
import { readPart, sizeOf } from './read-part.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** One entry of a weightsManifest: tensors one after the other, cut into files. */
interface Group {
  readonly paths: readonly string[];
  readonly weights: readonly Weight[];
}

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: unknown;
}

/** A LayersModel, by its model.json. */
export async function readTfjs(path: string): Promise<ForeignWeights> {
  const tensors = new Map<string, StoredWeight>();
  for (const { paths, weights } of await readManifest(path)) {
    const files = paths.map((name) => join(dirname(path), name));
    let start = 0;
    for (const { name, shape, dtype, quantization } of weights) {
      const at = start;
      const length = shape.reduce((product, side) => product * side, FLOAT);
      // Where the next one lies is only told where all are of four bytes; fitWeights refuses the others by name.
      start += length;
      const type = quantization !== undefined ? `${dtype}, quantized` : dtype === 'float32' ? 'F32' : dtype;
      tensors.set(name, { dtype: type, shape, read: () => readAcross(files, at, length) });
    }
    const sizes = await Promise.all(files.map(async (file) => (await sizeOf(file)) ?? missing(file)));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if ([...tensors.values()].every(({ dtype }) => dtype === 'F32') && bytes !== start)
      throw new UserError(`${path}: its weights have ${bytes} bytes, not ${start}`);
  }
  return { path, tensors };
}

async function readManifest(path: string): Promise<readonly Group[]> {
  let model: unknown;
  try {
    model = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path} cannot be read (${messageOf(error)})`);
  }
  const groups = (model as { weightsManifest?: unknown } | null)?.weightsManifest;
  if (!Array.isArray(groups) || !groups.every(isGroup))
    throw new UserError(`${path} is not a model of TensorFlow.js: it has no readable weightsManifest`);
  return groups;
}

function isGroup(value: unknown): value is Group {
  const { paths, weights } = (value ?? {}) as Record<string, unknown>;
  // Files beside model.json, and no others.
  const areNames = Array.isArray(paths) && paths.every((each) => typeof each === 'string' && isName(each));
  return areNames && Array.isArray(weights) && weights.every(isWeight);
}

function isName(path: string): boolean {
  const name = path.replace(/^\.\//, '');
  return name !== '' && name !== '..' && name === basename(name);
}

function isWeight(value: unknown): value is Weight {
  const { name, shape, dtype } = (value ?? {}) as Record<string, unknown>;
  const isShape = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
  return typeof name === 'string' && typeof dtype === 'string' && isShape;
}

function missing(file: string): never {
  throw new UserError(`there is no ${file}, which model.json names`);
}

/** Bytes from `start` on of the files one after the other. */
async function readAcross(files: readonly string[], start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  let begin = 0;
  for (const file of files) {
    const size = (await sizeOf(file)) ?? missing(file);
    const from = start + filled - begin;
    if (filled < length && from < size) {
      const part = await readPart(file, from, Math.min(length - filled, size - from));
      bytes.set(part, filled);
      filled += part.length;
    }
    begin += size;
  }
  if (filled < length) throw new UserError(`${files.join(', ')}: cut off`);
  return bytes;
}
