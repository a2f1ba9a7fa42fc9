import { UserError } from '../common/errors.js';
import { shellQuote } from '../common/shell-quote.js';
import { CHECKPOINT_FORMAT_NAME, decodeStored, headerLength, type StoredTensors } from './safetensors.js';
import type { ForeignWeights } from './foreign-weights.js';
import { readPart, sizeOf } from './read-part.js';

/** Bytes that a file of torch.save begins with: a zip archive, or a pickle of old. */
const TORCH_SAVE = [Buffer.from('PK\x03\x04'), Buffer.from([0x80, 0x02])];

/** Prefix of each name in DataParallel, which the tutorial uses on several GPUs. */
const PARALLEL = 'module.';

/**
 * Python that converts a file of torch.save with PyTorch alone, as examples/pytorch/weights.py does. Of several
 * state_dicts, such as {"netG": ..., "netD": ...}, it takes the one with a g in its name.
 */
const CONVERSION = [
  'import sys, json, struct, torch',
  'from itertools import accumulate',
  'd = torch.load(sys.argv[1], map_location="cpu")',
  'c = {str(k): v for k, v in d.items() if isinstance(v, dict) and v and all(map(torch.is_tensor, v.values()))}',
  'd = c[min(c, key=lambda k: "g" not in k.lower())] if c else d',
  't = {k: v.float() if v.is_floating_point() else v.long() for k, v in d.items()}',
  'b = [v.detach().numpy().tobytes() for v in t.values()]',
  'h = json.dumps({k: {"dtype": "F32" if v.is_floating_point() else "I64", "shape": list(v.shape), ' +
    '"data_offsets": [e - len(p), e]} for (k, v), p, e in zip(t.items(), b, accumulate(map(len, b)))}).encode()',
  'open("generator.safetensors", "wb").write(struct.pack("<Q", len(h)) + h + b"".join(b))',
].join('; ');

const ITEM_BYTES: Readonly<Record<string, number>> = { F32: 4, I64: 8 };

/** A state_dict in a safetensors file. */
export async function readPyTorch(path: string): Promise<ForeignWeights> {
  const size = await sizeOf(path);
  if (size === undefined) throw new UserError(`there is no ${path}`);
  const { metadata, tensors, start, bytes } = await readHeader(path, size);
  const { format = '' } = metadata;
  if (format.startsWith(CHECKPOINT_FORMAT_NAME))
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
      `${path} is a file of torch.save, which only Python reads: ` +
        `convert it and give --init generator.safetensors: python3 -c '${CONVERSION}' ${shellQuote(path)}`,
    );
  const length = headerLength(first);
  if (length === undefined || 8 + length > size) throw new UserError(`${path} is not a safetensors file`);
  try {
    return decodeStored(await readPart(path, 8, length));
  } catch (error) {
    throw new UserError(`${path} is not a safetensors file: its header cannot be read`, { cause: error });
  }
}
