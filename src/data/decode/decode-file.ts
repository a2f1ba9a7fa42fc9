import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { systemPath } from '../folder/byte-names.js';
import { isCutOff } from './cut-off.js';
import { cropFace } from '../pixels/face-crop.js';
import { contentOf } from './file-content.js';
import { faultOfFile } from './file-fault.js';
import { HEAD_BYTES, isNamedAsImage, kindOf, type ImageKind } from './image-kind.js';
import { LargePictureTurn } from './large-picture-turn.js';
import { openImage } from './open-image.js';
import { otherFormat } from './other-format.js';
import { BrokenImage } from '../pixels/pixels.js';

/** No picture that is small enough to be decoded has a larger file. */
const MAX_FILE_BYTES = 512 * 2 ** 20;

/** A picture of more pixels waits until no other such is decoded: it may take 400 MB. */
const LARGE_PIXELS = 2 ** 25;

/** Result of decoding a file. */
export type DecodedFile =
  | { readonly kind: 'face'; readonly pixels: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'broken'; readonly reason: string }
  /** No image, or one in a format that is not read, which has a name then. */
  | { readonly kind: 'other'; readonly format: string | undefined };

/** Reads a file as a face of `size` x `size` pixels. Of a file that is no image only the head is read. */
export async function decodeFile(
  path: string,
  size: number,
  turn = new LargePictureTurn(),
): Promise<DecodedFile> {
  const content = readContent(path);
  if ('kind' in content) return content;
  const { image, bytes } = content;
  try {
    const picture = openImage(bytes, image);
    const decode = async (): Promise<Uint8Array<ArrayBuffer>> => cropFace(await picture.decode(), size);
    const isLarge = picture.width * picture.height > LARGE_PIXELS;
    return { kind: 'face', pixels: await (isLarge ? turn.hold(decode) : decode()) };
  } catch (error) {
    if (!(error instanceof BrokenImage)) throw error;
    return broken(reasonOf(error, bytes, image));
  }
}

/** Tells what decoders cannot: whether a damaged image ends too early, as an interrupted download does. */
function reasonOf({ message }: BrokenImage, bytes: Buffer, image: ImageKind): string {
  if (message.includes('allowed')) return message; // A limit, which a whole file may exceed as well.
  if (isCutOff(bytes, image)) return 'cut off';
  return message.includes('damaged') ? 'damaged' : message;
}

function readContent(path: string): { image: ImageKind; bytes: Buffer } | DecodedFile {
  try {
    return readImage(path);
  } catch (error) {
    // A link that leads nowhere, a file that may not be read.
    const fault = faultOfFile(error);
    if (fault === undefined) throw error;
    return isNamedAsImage(path) ? broken(fault) : withoutImage(Buffer.alloc(0), path);
  }
}

function readImage(path: string): { image: ImageKind; bytes: Buffer } | DecodedFile {
  const file = openSync(systemPath(path), 'r');
  try {
    const space = Buffer.alloc(HEAD_BYTES);
    const head = space.subarray(0, readSync(file, space));
    const image = kindOf(head);
    if (!image) return withoutImage(head, path);
    const { size } = fstatSync(file);
    if (size > MAX_FILE_BYTES) return broken(`its ${size} bytes are more than the ${MAX_FILE_BYTES} allowed`);
    const bytes = Buffer.allocUnsafeSlow(size);
    return { image, bytes: bytes.subarray(0, readSync(file, bytes, 0, size, 0)) };
  } finally {
    closeSync(file);
  }
}

/** A file that has the name of an image and is none is broken. */
function withoutImage(head: Buffer, path: string): DecodedFile {
  const format = otherFormat(head, path);
  if (format !== undefined || !isNamedAsImage(path)) return { kind: 'other', format };
  if (head.length === 0) return broken('empty');
  const content = contentOf(head);
  return broken(content === undefined ? 'not an image' : `not an image (${content})`);
}

function broken(reason: string): DecodedFile {
  return { kind: 'broken', reason };
}
