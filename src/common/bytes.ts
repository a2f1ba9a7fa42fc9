/** The bytes of an array of numbers, without a copy. Little-endian, as every machine that Node runs on. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The floats that these bytes are, without a copy unless they lie unaligned. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const size = Float32Array.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / size);
}

/** The integers of 16 bits that these bytes are, without a copy unless they lie unaligned. */
export function halvesOf(bytes: Uint8Array): Uint16Array {
  const size = Uint16Array.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / size);
}
