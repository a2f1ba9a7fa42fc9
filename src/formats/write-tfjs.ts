import { join } from 'node:path';
import { writeFileAtomically } from '../common/files/atomic-file.js';
import { bytesOf } from '../common/bytes.js';
import type { ExportedWeights } from './exported-weights.js';
import { tfjsTensors } from './tfjs-tensors.js';
import { tfjsTopology } from './tfjs-topology.js';

/** Bytes of a file of weights, as TensorFlow.js cuts them: browsers load several at once, and keep them. */
const SHARD_BYTES = 4 * 1024 * 1024;

/** The generator as a LayersModel: model.json, and its weights one after the other, cut into files. */
export async function writeTfjs(folder: string, { config, layout, read }: ExportedWeights): Promise<void> {
  const tensors = tfjsTensors(layout);
  const size = (shape: readonly number[]): number =>
    shape.reduce((product, side) => product * side, Float32Array.BYTES_PER_ELEMENT);
  const total = tensors.reduce((sum, { shape }) => sum + size(shape), 0);
  const count = Math.ceil(total / SHARD_BYTES);
  const paths = Array.from({ length: count }, (_, index) => `group1-shard${index + 1}of${count}.bin`);

  const rest = shards(
    tensors.map(
      ({ slot }) =>
        () =>
          read(slot),
    ),
  );
  for (const path of paths) {
    const { value } = await rest.next();
    await writeFileAtomically(join(folder, path), value ?? new Uint8Array());
  }
  const model = {
    format: 'layers-model',
    generatedBy: config.program,
    convertedBy: null,
    modelTopology: tfjsTopology(layout.generator),
    weightsManifest: [
      { paths, weights: tensors.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })) },
    ],
    userDefinedMetadata: config,
  };
  await writeFileAtomically(join(folder, 'model.json'), `${JSON.stringify(model, undefined, 2)}\n`);
}

/** Splits the tensors' bytes into parts of another size. */
async function* shards(
  tensors: readonly (() => Promise<Float32Array>)[],
): AsyncGenerator<Uint8Array, undefined> {
  let shard = Buffer.alloc(SHARD_BYTES);
  let filled = 0;
  for (const read of tensors) {
    const bytes = bytesOf(await read());
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + SHARD_BYTES - filled);
      shard.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < SHARD_BYTES) continue;
      yield shard;
      shard = Buffer.alloc(SHARD_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield shard.subarray(0, filled);
  return undefined;
}
