import { BrokenImage, checkSize, type Picture } from '../pixels/pixels.js';
import { decodeBySharp } from './sharp-decoder.js';

const SIGNATURE_BYTES = 8;
/** Length, type and checksum. */
const FRAME_BYTES = 12;
const NEEDED = ['IHDR', 'PLTE', 'IDAT', 'IEND'];

/** Samples a pixel, by colour type. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Deflate turns one byte into 1,032 at most. */
const MAX_DEFLATE_RATIO = 1032;

/**
 * Opens a PNG, to decode it without its other chunks: no compressed text or profile that unpacks to gigabytes, no
 * transparency, no further frames.
 */
export function openPng(file: Buffer): Picture {
  const parts = [file.subarray(0, SIGNATURE_BYTES)];
  let compressed = 0;
  let header: Buffer | undefined;
  for (let at = SIGNATURE_BYTES; at + FRAME_BYTES <= file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'IHDR') header ??= file.subarray(at + 8, at + 8 + length);
    if (type === 'IDAT') compressed += length;
    if (NEEDED.includes(type)) parts.push(file.subarray(at, at + FRAME_BYTES + length));
    at += FRAME_BYTES + length;
    if (type === 'IEND') break;
  }
  if (!header || header.length < 13) throw new BrokenImage('its png data is damaged or cut off');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  checkSize({ width, height });
  const rowBytes = Math.ceil((width * header[8] * (SAMPLES[header[9]] ?? 4)) / 8);
  if (compressed * MAX_DEFLATE_RATIO < rowBytes * height) throw new BrokenImage('its png data is cut off');
  return { width, height, decode: () => decodeBySharp(Buffer.concat(parts), 'png', 'error') };
}
