import { decodeBitmap } from './bitmap-decoder.js';
import { decodeGif } from './gif-decoder.js';
import type { ImageKind } from './image-kind.js';
import { checkJpegCost } from './jpeg-cost.js';
import { lastsWithoutEnd } from './jpeg-ending.js';
import { JpegDecoder } from './jpeg-decoder.js';
import { readJpegStructure, withoutMetadata, type JpegStructure } from './jpeg-structure.js';
import { BrokenImage, type Pixels } from './pixels.js';
import { pngPicture } from './png-chunks.js';
import { decodeBySharp } from './sharp-decoder.js';
import { checkWebp } from './webp-header.js';

const jpegs = new JpegDecoder();

/**
 * Decodes a picture to the pixels of Pillow's convert('RGB'): the first frame, alpha dropped, EXIF orientation and
 * colour profile ignored. Throws a BrokenImage if it is damaged, or larger or costlier than the limits allow.
 */
export async function decodeImage(bytes: Buffer, kind: ImageKind): Promise<Pixels> {
  switch (kind) {
    case 'jpeg':
      return decodeJpeg(bytes);
    case 'png':
      return decodeBySharp(pngPicture(bytes), kind, 'error');
    case 'webp':
      checkWebp(bytes);
      return decodeBySharp(bytes, kind, 'error');
    case 'gif':
      return decodeGif(bytes);
    case 'bmp':
      return decodeBitmap(bytes);
  }
}

/** From this size on, sharp's machine code more than makes up for its start. Pixels. */
const LARGE_JPEG = 2 ** 19;

async function decodeJpeg(bytes: Buffer): Promise<Pixels> {
  const structure = readJpegStructure(bytes);
  checkJpegCost(structure, bytes.length);
  if (!structure.isEnded && !lastsWithoutEnd(bytes, structure))
    throw new BrokenImage('its jpeg data is damaged or cut off');
  const { coding, components, width, height } = structure;
  // The WebAssembly build lacks arithmetic coding, and sharp would give inks a colour profile.
  if (coding === 'arithmetic' && components.length === 4)
    throw new BrokenImage('its jpeg data is arithmetic-coded inks');
  if (coding !== 'arithmetic' && !isOrdinary(structure)) return jpegs.decode(bytes, structure).pixels;

  if (coding === 'baseline' && width * height < LARGE_JPEG) {
    const { pixels, isDamaged } = jpegs.decode(bytes, structure);
    if (!isDamaged) return pixels;
  }
  // Of damaged data and missing scans, the libjpeg of the WebAssembly build makes other pixels than Pillow's.
  return decodeBySharp(withoutMetadata(bytes), 'jpeg', 'none');
}

/** Whether sharp's libjpeg upsamples the colours as Pillow's does, and needs no profile to give red, green and blue. */
function isOrdinary({ components }: JpegStructure): boolean {
  if (components.length === 1) return true;
  const [luma, ...chroma] = components;
  return (
    components.length === 3 &&
    luma.horizontal <= 2 &&
    luma.vertical <= luma.horizontal &&
    chroma.every(({ horizontal, vertical }) => horizontal === 1 && vertical === 1)
  );
}
