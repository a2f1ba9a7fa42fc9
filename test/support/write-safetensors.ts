import { writeFile } from 'node:fs/promises';

/** Writes float32 tensors as the format's description says. */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>>,
): Promise<void> {
  let next = 0;
  const header = Object.entries(tensors).map(([name, { shape, values }]) => {
    const start = next;
    next += values.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [start, next] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const bytes = Object.values(tensors).map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  );
  await writeFile(path, Buffer.concat([length, json, ...bytes]));
}
