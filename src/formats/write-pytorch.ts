import { join } from 'node:path';
import { writeFileAtomically } from '../common/files/atomic-file.js';
import { NETWORKS, type Network } from '../model/architecture.js';
import { bytesOf } from '../common/bytes.js';
import { encodeStored, type StoredTensor } from './safetensors.js';
import type { ExportedWeights } from './exported-weights.js';
import { toForeign } from './foreign-tensor.js';
import { pyTorchTensors } from './pytorch-tensors.js';

/** A step's forward passes, each of which PyTorch counts: of real images, of generated ones, and of these once more. */
const PASSES: Readonly<Record<Network, number>> = { discriminator: 3, generator: 1 };

const INT64_BYTES = 8;

/** The state_dict of each network as a safetensors file. */
export async function writePyTorch(folder: string, weights: ExportedWeights): Promise<void> {
  for (const network of NETWORKS) await writeStateDict(folder, network, weights);
}

async function writeStateDict(
  folder: string,
  network: Network,
  { config, layout, read }: ExportedWeights,
): Promise<void> {
  const { tensors, counters } = pyTorchTensors(network, layout[network]);
  // Those of eight bytes first, so that each lies at a multiple of its own size.
  const stored: StoredTensor[] = [];
  const place = (name: string, dtype: string, shape: readonly number[], bytes: number): void => {
    const start = stored.at(-1)?.end ?? 0;
    stored.push({ name, dtype, shape, start, end: start + bytes });
  };
  for (const name of counters) place(name, 'I64', [], INT64_BYTES);
  for (const { name, shape } of tensors)
    place(
      name,
      'F32',
      shape,
      shape.reduce((product, side) => product * side, Float32Array.BYTES_PER_ELEMENT),
    );
  // What Python's libraries write there, to say whose tensors they are.
  const header = encodeStored(stored, { format: 'pt', program: config.program, step: String(config.step) });

  const counter = Buffer.alloc(INT64_BYTES);
  counter.writeBigInt64LE(BigInt(PASSES[network] * config.step));
  await writeFileAtomically(join(folder, `${network}.safetensors`), async (file) => {
    await file.writeFile(header);
    for (let i = 0; i < counters.length; i++) await file.writeFile(counter);
    for (const tensor of tensors) await file.writeFile(bytesOf(toForeign(tensor, await read(tensor.slot))));
  });
}
