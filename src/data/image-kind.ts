/** The formats that are read, by what a file holds and not by what it is called. */
export type ImageKind = 'jpeg' | 'png' | 'webp' | 'bmp' | 'gif';

/** So many bytes from the start of a file tell its kind. */
export const HEAD_BYTES = 16;

/** The kind of image that starts with these bytes; undefined if it is none of ours. */
export function kindOf(head: Uint8Array): ImageKind | undefined {
  const text = Buffer.from(head.subarray(0, HEAD_BYTES)).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  // "BM" alone begins many a text; a bitmap's four reserved bytes are zero.
  if (text.startsWith('BM') && text.startsWith('\0\0\0\0', 6)) return 'bmp';
  return undefined;
}

/** Whether a file calls itself an image. One that does and is none is broken; one that does not is no concern. */
export function isNamedAsImage(path: string): boolean {
  return /\.(jpe?g|jfif|png|webp|bmp|gif|ppm|pgm|tiff?)$/i.test(path);
}
