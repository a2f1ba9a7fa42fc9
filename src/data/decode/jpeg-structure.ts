import { BrokenImage, checkSize, type Size } from '../pixels/pixels.js';

/** A colour component and its sampling factors. */
export interface JpegComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  /** Blocks of 8 x 8 samples that a scan of this component holds. */
  readonly blocks: number;
}

/** Facts from a JPEG's markers, without decoding. */
export interface JpegStructure extends Size {
  readonly components: readonly JpegComponent[];
  readonly coding: 'baseline' | 'progressive' | 'arithmetic';
  readonly scans: number;
  /** Blocks of all scans together: decoding time grows with them. */
  readonly scannedBlocks: number;
  /** True if all coefficients are kept in memory until the last scan. */
  readonly isMultiScan: boolean;
  /** True if an end marker closes the picture. */
  readonly isEnded: boolean;
}

const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
/** Start-of-frame markers: 0xc0 to 0xcf but for these, which are tables and an extension. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];
const PROGRESSIVE_FRAMES = [0xc2, 0xc6, 0xca, 0xce];
const FIRST_ARITHMETIC_FRAME = 0xc9;

/** Finds the frame header and the scans by their markers, without looking into the compressed data. */
export function readJpegStructure(file: Buffer): JpegStructure {
  let frame: Frame | undefined;
  let scans = 0;
  let scannedBlocks = 0;
  let isMultiScan = false;
  let isEnded = false;
  for (const { marker, body } of jpegSegments(file)) {
    if (marker === END_OF_IMAGE) isEnded = true;
    else if (isFrame(marker)) frame ??= readFrame(marker, body);
    else if (marker === START_OF_SCAN && frame) {
      const ids = [...body.subarray(1, 1 + 2 * body[0])].filter((_, index) => index % 2 === 0);
      const scanned = frame.components.filter(({ id }) => ids.includes(id));
      scannedBlocks += scanned.reduce((sum, { blocks }) => sum + blocks, 0);
      isMultiScan ||= frame.isProgressive || ids.length < frame.components.length;
      scans++;
    }
  }
  if (!frame) throw new BrokenImage('its jpeg data has no frame header');
  if (scans === 0) throw new BrokenImage('its jpeg data holds no picture');
  return { ...frame, scans, scannedBlocks, isMultiScan, isEnded };
}

/**
 * Returns the picture without its metadata: no profile, no thumbnail, no gain map that a decoder might apply, nothing
 * behind the end marker. Adds an end marker if there is none.
 */
export function withoutMetadata(file: Buffer): Buffer {
  const parts: Buffer[] = [];
  let kept = 0; // The bytes before this offset are in `parts` or dropped.
  let end = file.length;
  for (const segment of jpegSegments(file)) {
    if (segment.marker === END_OF_IMAGE) end = segment.start;
    if (!isMetadata(segment.marker)) continue;
    parts.push(file.subarray(kept, segment.start));
    kept = segment.end;
  }
  return Buffer.concat([...parts, file.subarray(kept, end), Buffer.of(0xff, END_OF_IMAGE)]);
}

/** Comments and application segments, but for JFIF's and Adobe's: they tell the colour space. */
function isMetadata(marker: number): boolean {
  return marker === 0xfe || (marker > 0xe0 && marker <= 0xef && marker !== 0xee);
}

interface Frame extends Size {
  readonly components: readonly JpegComponent[];
  readonly coding: JpegStructure['coding'];
  readonly isProgressive: boolean;
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker);
}

function readFrame(marker: number, body: Buffer): Frame {
  if (body.length < 6) throw new BrokenImage('its jpeg data is cut off');
  const [height, width] = [body.readUInt16BE(1), body.readUInt16BE(3)];
  checkSize({ width, height });
  const sampled = Array.from({ length: Math.min(body[5], Math.floor((body.length - 6) / 3)) }, (_, index) => {
    const [id, factors] = body.subarray(6 + 3 * index);
    return { id, horizontal: Math.max(1, factors >> 4), vertical: Math.max(1, factors & 15) };
  });
  const columns = Math.max(...sampled.map(({ horizontal }) => horizontal));
  const rows = Math.max(...sampled.map(({ vertical }) => vertical));
  const components = sampled.map((component) => ({
    ...component,
    blocks:
      Math.ceil((width * component.horizontal) / columns / 8) *
      Math.ceil((height * component.vertical) / rows / 8),
  }));
  const isProgressive = PROGRESSIVE_FRAMES.includes(marker);
  const coding = marker >= FIRST_ARITHMETIC_FRAME ? 'arithmetic' : isProgressive ? 'progressive' : 'baseline';
  return { width, height, components, coding, isProgressive };
}

export interface JpegSegment {
  readonly marker: number;
  readonly body: Buffer;
  /** Offset of the marker. */
  readonly start: number;
  /** Offset behind the body. */
  readonly end: number;
}

/** Yields the marker segments up to the end marker. Compressed data and stray bytes between them are skipped. */
export function* jpegSegments(file: Buffer): Generator<JpegSegment> {
  let at = 2;
  for (;;) {
    at = file.indexOf(0xff, at);
    if (at < 0 || at + 1 >= file.length) return;
    const marker = file[++at];
    if (marker === 0xff) continue; // A fill byte.
    const start = at - 1;
    at++;
    if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue; // Without a body.
    if (marker === END_OF_IMAGE) {
      yield { marker, body: file.subarray(at, at), start, end: at };
      return;
    }
    if (at + 2 > file.length) return;
    const end = at + Math.max(2, file.readUInt16BE(at));
    yield { marker, body: file.subarray(at + 2, end), start, end };
    at = end;
  }
}
