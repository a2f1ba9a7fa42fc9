import { UserError } from '../common/errors.js';
import { floatsOf } from '../common/bytes.js';
import { fromForeign, type ForeignTensor } from './foreign-tensor.js';

/** A tensor in a file of another program. */
export interface StoredWeight {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Little-endian, and as many as dtype and shape say. */
  read(): Promise<Uint8Array>;
}

/** A network's weights as another program has written them. */
export interface ForeignWeights {
  /** Path as the user typed it. */
  readonly path: string;
  /** Tensors by their name in that program. */
  readonly tensors: ReadonlyMap<string, StoredWeight>;
}

/** Tensors of a state by their full name. */
export type NamedTensors = ReadonlyMap<string, Float32Array>;

/** Most names that an error lists; it counts the rest. */
const NAMES_SHOWN = 3;

/**
 * The weights as ours, where they are exactly those of the network: every tensor is there, none is left over, and each
 * has its shape. `ignored` may be there and has no meaning here. Throws a UserError that names what does not fit.
 */
export async function fitWeights(
  { path, tensors }: ForeignWeights,
  expected: readonly ForeignTensor[],
  ignored: readonly string[] = [],
): Promise<NamedTensors> {
  const known = new Set([...expected.map(({ name }) => name), ...ignored]);
  refuse(
    path,
    'lacks',
    expected.map(({ name }) => name).filter((name) => !tensors.has(name)),
  );
  refuse(
    path,
    "has tensors that the run's network has not:",
    [...tensors.keys()].filter((name) => !known.has(name)),
  );
  const ours = new Map<string, Float32Array>();
  for (const tensor of expected) {
    const { name, shape, slot } = tensor;
    const stored = tensors.get(name) as StoredWeight;
    if (JSON.stringify(stored.shape) !== JSON.stringify(shape))
      throw new UserError(`${path}: ${name} is ${sides(stored.shape)}, and the run's is ${sides(shape)}`);
    if (stored.dtype !== 'F32')
      throw new UserError(`${path}: ${name} is of type ${stored.dtype}: save it as 32-bit floats`);
    const values = floatsOf(await stored.read());
    if (!values.every(Number.isFinite))
      throw new UserError(`${path}: ${name} has a value that is not finite`);
    ours.set(slot, fromForeign(tensor, values));
  }
  return ours;
}

function refuse(path: string, what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  throw new UserError(`${path} ${what} ${names.slice(0, NAMES_SHOWN).join(', ')}${more}`);
}

function sides(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
