/**
 * A one-dimensional float32 array as numpy.save writes it (format version 1.0): magic, version, header length,
 * a Python dict padded with spaces so that the data starts at a multiple of 64, then the values, little-endian.
 */
export function encodeNumpy(values: Float32Array): Uint8Array {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length},), }`;
  const fixed = MAGIC.length + 2; // the header's length takes two bytes
  const start = Math.ceil((fixed + dict.length + 1) / 64) * 64;
  const header = `${dict.padEnd(start - fixed - 1)}\n`;

  const file = Buffer.alloc(start + 4 * values.length);
  MAGIC.copy(file);
  file.writeUInt16LE(header.length, MAGIC.length);
  file.write(header, fixed, 'latin1');
  values.forEach((value, index) => file.writeFloatLE(value, start + 4 * index));
  return file;
}

const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
