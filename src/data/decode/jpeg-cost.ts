import type { JpegStructure } from './jpeg-structure.js';
import { BrokenImage, CHANNELS } from '../pixels/pixels.js';

/** Largest number of scans. A progressive picture has some ten, and libjpeg-turbo's authors advise this limit. */
const MAX_SCANS = 500;

/** Largest number of blocks in all scans: some six times those of the largest picture in a usual order of scans. */
const MAX_SCANNED_BLOCKS = 2 ** 28;

/** A picture that takes less memory is decoded however little data it has. Bytes. */
const ALWAYS_ADMITTED_BYTES = 64 * 2 ** 20;

const BLOCK_BYTES = 64 * 2; // 16 bits a coefficient

/** Checks from the markers alone, before any memory is taken, that decoding stays within bounds of memory and time. */
export function checkJpegCost(structure: JpegStructure, fileBytes: number): void {
  const { width, height, components, scans, scannedBlocks } = structure;
  const bytes = coefficientBytes(structure) + width * height * (components.length === 4 ? 4 : CHANNELS);
  // Huffman codes take a bit for each block at least; arithmetic coding takes more for all but empty pictures.
  if (bytes > ALWAYS_ADMITTED_BYTES && fileBytes * 8 < blocksOf(structure))
    throw new BrokenImage(`its ${fileBytes} bytes cannot hold ${width} x ${height} pixels`);
  if (scans > MAX_SCANS)
    throw new BrokenImage(`its jpeg data has ${scans} scans, more than the ${MAX_SCANS} allowed`);
  if (scannedBlocks > MAX_SCANNED_BLOCKS) {
    throw new BrokenImage(
      `its ${scans} scans decode ${scannedBlocks} blocks, more than the ${MAX_SCANNED_BLOCKS} allowed`,
    );
  }
}

/** Memory for the coefficients of a picture that comes in several scans: all of it, before the first pixel. */
export function coefficientBytes(structure: JpegStructure): number {
  return structure.isMultiScan ? blocksOf(structure) * BLOCK_BYTES : 0;
}

function blocksOf({ components }: JpegStructure): number {
  return components.reduce((sum, { blocks }) => sum + blocks, 0);
}
