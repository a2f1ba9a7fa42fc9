import type { ImageKind } from './image-kind.js';

/**
 * Returns whether the file of an image that cannot be decoded ends too early. Reads no more than the structure of the
 * format.
 */
export function isCutOff(file: Buffer, kind: ImageKind): boolean {
  try {
    switch (kind) {
      case 'jpeg':
        return jpegEnd(file) > file.length;
      case 'png':
        return pngEnd(file) > file.length;
      case 'webp':
        return file.readUInt32LE(4) + 8 > file.length;
      case 'gif':
        return file[file.length - 1] !== 0x3b;
      case 'bmp':
        return file.readUInt32LE(2) > file.length;
    }
  } catch (error) {
    if (error instanceof RangeError) return true; // A length lies beyond the end.
    throw error;
  }
}

const END_OF_IMAGE = 0xd9;
/** They stand in the data of a scan, without a length: stuffed zeros, restarts, fill bytes. */
const isInScan = (marker: number): boolean =>
  marker === 0 || (marker >= 0xd0 && marker <= 0xd7) || marker === 0xff;

/** The length up to and with the end marker, Infinity if there is none. */
function jpegEnd(file: Buffer): number {
  for (let at = 2; ;) {
    at = file.indexOf(0xff, at);
    if (at < 0 || at + 1 >= file.length) return Infinity;
    const marker = file[at + 1];
    if (marker === END_OF_IMAGE) return at + 2;
    if (isInScan(marker)) at += marker === 0xff ? 1 : 2;
    else at += 2 + file.readUInt16BE(at + 2);
  }
}

/** The length up to and with the chunk IEND. */
function pngEnd(file: Buffer): number {
  for (let at = 8; ;) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    at += 4 + 4 + length + 4; // length, type, data, checksum
    if (type === 'IEND' || at > file.length) return at;
  }
}
