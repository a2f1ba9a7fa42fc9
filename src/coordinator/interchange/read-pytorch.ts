import { UserError } from '../../common/errors.js';
import { CHECKPOINT_FORMAT } from '../checkpoint/checkpoint.js';
import { decodeStored, headerLength, type StoredTensors } from '../checkpoint/safetensors.js';
import type { ForeignWeights } from './foreign-weights.js';
import { readPart, sizeOf } from './read-part.js';

/** Bytes that a file of torch.save begins with: a zip archive, or a pickle of old. */
const TORCH_SAVE = [Buffer.from('PK\x03\x04'), Buffer.from([0x80, 0x02])];

/** What DataParallel, which the tutorial uses on several GPUs, puts before each name. */
const PARALLEL = 'module.';

const ITEM_BYTES: Readonly<Record<string, number>> = { F32: 4, I64: 8 };

/** A state_dict in a safetensors file. */
export async function readPyTorch(path: string): Promise<ForeignWeights> {
  const size = await sizeOf(path);
  if (size === undefined) throw new UserError(`there is no ${path}`);
  const { metadata, tensors, start, bytes } = await readHeader(path, size);
  if (metadata['format'] === CHECKPOINT_FORMAT)
    throw new UserError(
      `${path} is a checkpoint of a run: give --init what \`coordinator export\` makes of it`,
    );
  if (start + bytes !== size)
    throw new UserError(`${path} is damaged (it has ${size} bytes, not ${start + bytes})`);
  const parallel = tensors.length > 0 && tensors.every(({ name }) => name.startsWith(PARALLEL));
  return {
    path,
    tensors: new Map(
      tensors.map(({ name, dtype, shape, ...place }) => {
        const length = place.end - place.start;
        const expected = shape.reduce((product, side) => product * side, ITEM_BYTES[dtype] ?? NaN);
        if (length !== expected && !Number.isNaN(expected))
          throw new UserError(`${path} is damaged (${name} has ${length} bytes, not ${expected})`);
        const read = (): Promise<Uint8Array> => readPart(path, start + place.start, length);
        return [parallel ? name.slice(PARALLEL.length) : name, { dtype, shape, read }];
      }),
    ),
  };
}

async function readHeader(path: string, size: number): Promise<StoredTensors> {
  const first = await readPart(path, 0, Math.min(8, size));
  if (TORCH_SAVE.some((magic) => first.subarray(0, magic.length).equals(magic)))
    throw new UserError(
      `${path} is a file of torch.save, which only Python reads: convert it by python3 -c 'import torch, ` +
        `safetensors.torch as s; s.save_file(torch.load("${path}", map_location="cpu"), "generator.safetensors")'`,
    );
  const length = headerLength(first);
  if (length === undefined || 8 + length > size) throw new UserError(`${path} is not a safetensors file`);
  try {
    return decodeStored(await readPart(path, 8, length));
  } catch (error) {
    throw new UserError(`${path} is not a safetensors file: its header cannot be read`, { cause: error });
  }
}
