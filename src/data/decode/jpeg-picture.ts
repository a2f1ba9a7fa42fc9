import { checkJpegCost } from './jpeg-cost.js';
import { JpegDecoder } from './jpeg-decoder.js';
import { lastsWithoutEnd } from './jpeg-ending.js';
import { readJpegStructure, withoutMetadata, type JpegStructure } from './jpeg-structure.js';
import { BrokenImage, type Picture, type Pixels } from '../pixels/pixels.js';
import { decodeBySharp } from './sharp-decoder.js';

const decoder = new JpegDecoder();

/** From this size on, sharp's machine code more than makes up for its start. Pixels. */
const LARGE_JPEG = 2 ** 19;

/** Opens a JPEG, to decode it by the decoder that gives Pillow's pixels, and of two such by the faster one. */
export function openJpeg(bytes: Buffer): Picture {
  const structure = readJpegStructure(bytes);
  checkJpegCost(structure, bytes.length);
  const { width, height } = structure;
  return { width, height, decode: () => decodeJpeg(bytes, structure) };
}

function decodeJpeg(bytes: Buffer, structure: JpegStructure): Pixels | Promise<Pixels> {
  const { coding, components, width, height, isEnded } = structure;
  if (!isEnded && !lastsWithoutEnd(bytes, structure))
    throw new BrokenImage('its jpeg data is damaged or cut off');
  // The WebAssembly build lacks arithmetic coding, and sharp would give inks a colour profile.
  if (coding === 'arithmetic' && components.length === 4)
    throw new BrokenImage('its jpeg data is arithmetic-coded inks');
  if (coding !== 'arithmetic' && !isOrdinary(structure)) return decoder.decode(bytes, structure).pixels;

  if (coding === 'baseline' && width * height < LARGE_JPEG) {
    const { pixels, isDamaged } = decoder.decode(bytes, structure);
    if (!isDamaged) return pixels;
  }
  // Of damaged data and missing scans, the libjpeg of the WebAssembly build makes other pixels than Pillow's.
  return decodeBySharp(withoutMetadata(bytes), 'jpeg', 'none');
}

/** Returns whether sharp's libjpeg upsamples the colours as Pillow's does, and needs no profile to give red, green and blue. */
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
