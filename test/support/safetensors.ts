import { readFile } from 'node:fs/promises';

export interface FixtureTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** Reads float32 tensors from a safetensors file: the header's length in 8 bytes, a header in JSON, the numbers. */
export async function readSafetensors(file: URL): Promise<ReadonlyMap<string, FixtureTensor>> {
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Header;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        if (dtype !== 'F32') throw new Error(`${name} is ${dtype}, not F32`);
        // Copied, since a typed array must start at a multiple of four bytes.
        const values = new Float32Array(new Uint8Array(bytes.subarray(start + from, start + to)).buffer);
        return [name, { shape, values }];
      },
    ),
  );
}
