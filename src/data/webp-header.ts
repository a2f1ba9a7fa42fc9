import { BrokenImage, checkSize } from './pixels.js';

/** Checks the size that a WebP claims, before a decoder takes memory for it. */
export function checkWebp(file: Buffer): void {
  const type = file.toString('latin1', 12, 16);
  if (file.length < 30) throw new BrokenImage('its webp data is cut off');
  if (type === 'VP8X') {
    checkSize({ width: 1 + file.readUIntLE(24, 3), height: 1 + file.readUIntLE(27, 3) });
  } else if (type === 'VP8L') {
    const bits = file.readUInt32LE(21);
    checkSize({ width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) });
  } else {
    checkSize({ width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff });
  }
}
