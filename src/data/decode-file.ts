import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { codeOf, messageOf } from '../common/errors.js';
import { cropFace } from './face-crop.js';
import { HEAD_BYTES, isNamedAsImage, kindOf, type ImageKind } from './image-kind.js';
import { LargePictureTurn } from './large-picture-turn.js';
import { openImage } from './open-image.js';
import { BrokenImage } from './pixels.js';

/** No picture that is small enough to be decoded has a larger file. */
const MAX_FILE_BYTES = 512 * 2 ** 20;

/** A picture of more pixels waits until no other such is decoded: it may take 400 MB. */
const LARGE_PIXELS = 2 ** 25;

/** What a file turned out to be. */
export type DecodedFile =
  | { readonly kind: 'face'; readonly pixels: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'other' };

/** Reads a file as a face of `size` x `size` pixels. Of a file that is no image only the head is read. */
export async function decodeFile(
  path: string,
  size: number,
  turn = new LargePictureTurn(),
): Promise<DecodedFile> {
  try {
    const image = readImage(path);
    if (!image)
      return isNamedAsImage(path) ? broken('it is no jpeg, png, webp, bmp or gif') : { kind: 'other' };
    const picture = openImage(image.bytes, image.kind);
    const decode = async (): Promise<Uint8Array<ArrayBuffer>> => cropFace(await picture.decode(), size);
    const isLarge = picture.width * picture.height > LARGE_PIXELS;
    return { kind: 'face', pixels: await (isLarge ? turn.hold(decode) : decode()) };
  } catch (error) {
    if (error instanceof BrokenImage) return broken(error.message);
    // A system error: a link that leads nowhere, a file that may not be read.
    if (codeOf(error) !== undefined)
      return isNamedAsImage(path) ? broken(messageOf(error)) : { kind: 'other' };
    throw error;
  }
}

/** Undefined where the content is no image. */
function readImage(path: string): { kind: ImageKind; bytes: Buffer } | undefined {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const kind = kindOf(head.subarray(0, readSync(file, head)));
    if (!kind) return undefined;
    const { size } = fstatSync(file);
    if (size > MAX_FILE_BYTES)
      throw new BrokenImage(`its ${size} bytes are more than the ${MAX_FILE_BYTES} allowed`);
    const bytes = Buffer.allocUnsafeSlow(size);
    return { kind, bytes: bytes.subarray(0, readSync(file, bytes, 0, size, 0)) };
  } finally {
    closeSync(file);
  }
}

function broken(reason: string): DecodedFile {
  return { kind: 'broken', reason };
}
