import { openBitmap } from './bitmap-decoder.js';
import { openGif } from './gif-decoder.js';
import type { ImageKind } from './image-kind.js';
import { openJpeg } from './jpeg-picture.js';
import type { Picture } from '../pixels/pixels.js';
import { openPng } from './png-decoder.js';
import { openWebp } from './webp-decoder.js';

/**
 * Opens a picture, to decode it to the pixels of Pillow's convert('RGB'): the first frame, alpha dropped, EXIF
 * orientation and colour profile ignored. Throws a BrokenImage, here or on decoding, if the picture is damaged, or
 * larger or costlier than the limits allow.
 */
export function openImage(bytes: Buffer, kind: ImageKind): Picture {
  switch (kind) {
    case 'jpeg':
      return openJpeg(bytes);
    case 'png':
      return openPng(bytes);
    case 'webp':
      return openWebp(bytes);
    case 'gif':
      return openGif(bytes);
    case 'bmp':
      return openBitmap(bytes);
  }
}
