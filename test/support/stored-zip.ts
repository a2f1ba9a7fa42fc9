/** A zip file without compression (and without the CRCs, which a wheel's RECORD makes up for). */
export function storedZip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const sizes = [0, Buffer.byteLength(content), Buffer.byteLength(content)]; // crc, compressed, uncompressed
    const common = Buffer.concat([
      uint16(20, 0, 0, 0, 0),
      uint32(...sizes),
      uint16(Buffer.byteLength(name), 0),
    ]);
    const local = Buffer.concat([uint32(0x04034b50), common, Buffer.from(name), Buffer.from(content)]);
    const tail = Buffer.concat([uint16(0, 0, 0), uint32(0, offset), Buffer.from(name)]);
    centrals.push(Buffer.concat([uint32(0x02014b50), uint16(20), common, tail]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const count = centrals.length;
  const end = [uint32(0x06054b50), uint16(0, 0, count, count), uint32(directory.length, offset), uint16(0)];
  return Buffer.concat([...locals, directory, ...end]);
}

function uint16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, 2 * index);
  return bytes;
}

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
}
