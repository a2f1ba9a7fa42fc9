import { BrokenImage } from '../pixels/pixels.js';

/** Largest number of table entries: codes have at most 12 bits. */
const TABLE_SIZE = 4096;
const MAX_CODE_BITS = 12;

/**
 * Decodes LZW data as GIF stores it: one palette index for each pixel, in the order of the file. Reads and refuses
 * what Pillow reads and refuses: data must last to the last pixel; anything behind it is ignored. [pixels]
 */
export function decodeLzw(file: Uint8Array, start: number, bits: number, pixels: number): Uint8Array {
  if (bits > MAX_CODE_BITS) throw damaged();
  const clear = 1 << bits;
  const end = clear + 1;
  const lastBytes = new Uint8Array(TABLE_SIZE);
  const prefixes = new Uint16Array(TABLE_SIZE);
  const reversed = new Uint8Array(TABLE_SIZE + 1); // A code's bytes, last one first.
  const indices = new Uint8Array(pixels);

  let at = start;
  let blockLeft = 0; // bytes
  let buffer = 0;
  let buffered = 0; // bits

  let codeBits = bits + 1;
  let next = clear + 2; // the table's first free entry
  let previous = -1; // the code before; -1 after a clear code
  let firstByte = 0; // of the code before
  let done = 0;
  while (done < pixels) {
    while (buffered < codeBits) {
      if (blockLeft > 0) {
        buffer |= file[at++] << buffered;
        buffered += 8;
        blockLeft--;
      } else {
        if (at + 1 + file[at] > file.length || at >= file.length) throw cutOff();
        blockLeft = file[at++];
      }
    }
    const code = buffer & ((1 << codeBits) - 1);
    buffer >>>= codeBits;
    buffered -= codeBits;

    if (code === clear) {
      codeBits = bits + 1;
      next = clear + 2;
      previous = -1;
      continue;
    }
    if (code === end) throw cutOff();
    if (previous < 0) {
      if (code > clear) throw damaged();
      firstByte = code & 0xff;
      indices[done++] = firstByte;
      previous = code;
      continue;
    }

    if (code > next) throw damaged();
    let length = 0;
    let rest = code;
    if (code === next) {
      reversed[length++] = firstByte;
      rest = previous;
    }
    while (rest >= clear) {
      if (rest >= TABLE_SIZE || length === TABLE_SIZE) throw damaged();
      reversed[length++] = lastBytes[rest];
      rest = prefixes[rest];
    }
    firstByte = rest & 0xff;
    reversed[length++] = firstByte;
    while (length > 0 && done < pixels) indices[done++] = reversed[--length];

    if (next < TABLE_SIZE) {
      lastBytes[next] = firstByte;
      prefixes[next] = previous;
      if (next === (1 << codeBits) - 1 && codeBits < MAX_CODE_BITS) codeBits++;
      next++;
    }
    previous = code;
  }
  return indices;
}

const damaged = (): BrokenImage => new BrokenImage('its gif data is damaged');
const cutOff = (): BrokenImage => new BrokenImage('its gif data is cut off');
