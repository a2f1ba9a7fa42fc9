/** The formats that are read, by what a file holds and not by what it is called. */
export type ImageKind = 'jpeg' | 'png' | 'webp' | 'bmp' | 'gif';

/** Bytes from the start of a file that tell what it holds. */
export const HEAD_BYTES = 512;

/** Bytes from the start of an image that tell its kind. */
const MAGIC_BYTES = 16;

/** The kind of image that starts with these bytes; undefined if it is none of ours. */
export function kindOf(head: Uint8Array): ImageKind | undefined {
  const text = Buffer.from(head.subarray(0, MAGIC_BYTES)).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  // "BM" alone begins many a text; a bitmap's four reserved bytes are zero.
  if (text.startsWith('BM') && text.startsWith('\0\0\0\0', 6)) return 'bmp';
  return undefined;
}

/** Returns whether a file has the name of an image that is read. If it has and is none, it is broken. */
export function isNamedAsImage(path: string): boolean {
  return /\.(jpe?g|jpe|jfif|png|webp|bmp|gif)$/i.test(path);
}
