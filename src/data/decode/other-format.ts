/** Formats by the first bytes, in Latin-1. A brand's name follows "ftyp". */
const BY_CONTENT: readonly (readonly [RegExp, string])[] = [
  [/^.{4}ftyp(hei[cxms]|hev[cxms])/s, 'HEIC'],
  [/^.{4}ftypavi[fs]/s, 'AVIF'],
  [/^.{4}ftyp(mif1|msf1)/s, 'HEIF'],
  [/^(II[*+]\0|MM\0[*+])/, 'TIFF'],
  [/^P[14][\s#]/, 'PBM'],
  [/^P[25][\s#]/, 'PGM'],
  [/^P[36][\s#]/, 'PPM'],
  [/^(.{4}jP {2}\r\n|\xff\x4f\xff\x51)/s, 'JPEG 2000'],
  [/^(.{4}JXL \r\n|\xff\n)/s, 'JPEG XL'],
  [/^8BPS/, 'PSD'],
];

/** Formats whose files begin like a TIFF, or as a film does, and are told by name. */
const RAW = /\.(cr2|cr3|nef|arw|dng|orf|rw2|raf|pef|srw)$/i;

/** Formats by name, under the name that is common for them. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/\.(heif|hif)$/i, 'HEIF'],
  [/\.tiff?$/i, 'TIFF'],
  [/\.(jp2|j2k|jpx|jpf)$/i, 'JPEG 2000'],
  [/\.jxl$/i, 'JPEG XL'],
];
const NAMED_AS_WRITTEN = /\.(heic|avif|pbm|pgm|ppm|pnm|psd|svg|ico|tga|exr|hdr|qoi|dds)$/i;

/**
 * Returns the name of an image format that this program does not read: by the first bytes of the file, or else by its
 * name. Undefined for anything else.
 */
export function otherFormat(head: Uint8Array, path: string): string | undefined {
  const raw = RAW.exec(path);
  if (raw) return raw[1].toUpperCase();
  const text = Buffer.from(head).toString('latin1');
  const byContent =
    BY_CONTENT.find(([pattern]) => pattern.test(text)) ?? BY_NAME.find(([name]) => name.test(path));
  return byContent?.[1] ?? NAMED_AS_WRITTEN.exec(path)?.[1].toUpperCase();
}
