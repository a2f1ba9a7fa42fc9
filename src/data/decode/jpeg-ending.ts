import { JpegHuffmanTable, MAX_CODE_BITS } from './jpeg-huffman-table.js';
import { jpegSegments, type JpegStructure } from './jpeg-structure.js';

const START_OF_SCAN = 0xda;
const HUFFMAN_TABLES = 0xc4;
const RESTART_INTERVAL = 0xdd;

/** A longer file without an end marker is taken for cut off, unseen. Bytes. */
const MAX_FOLLOWED_BYTES = 64 * 2 ** 20;

/* libjpeg's numbers, on 64 bits: Pillow hands it so many bytes at a time, and it fills its bit buffer so far. */
const CHUNK_BYTES = 65536;
const FULL_BITS = 57;
const LOOKAHEAD_BITS = 8;
/** With so many bytes a block left, libjpeg takes another path, which fills the bit buffer otherwise. */
const FAST_BYTES = 512;
const FAST_LOW_BITS = 16;
const FAST_FILL_BYTES = 6;

/**
 * Tells whether Pillow reads a JPEG that has no end marker. Its libjpeg fails when it asks for bytes that the file
 * lacks, and it asks for up to eight more than it needs. So this follows libjpeg's bit buffer (jdhuff.c) through the
 * scan, without computing pixels.
 */
export function lastsWithoutEnd(file: Buffer, structure: JpegStructure): boolean {
  const { coding, isMultiScan } = structure;
  if (coding !== 'baseline' || isMultiScan || file.length > MAX_FOLLOWED_BYTES) return false;
  const scan = readScan(file, structure);
  return scan.endsInMarker || (scan.bytes.length > 0 && new BitBuffer(scan).lasts());
}

interface Scan {
  /** The compressed data behind the last restart marker, without stuffed bytes. */
  readonly bytes: Uint8Array;
  /** For each of the bytes: the offset in the file behind it. */
  readonly ends: Uint32Array;
  /** True if another marker comes first, so that libjpeg asks for no more and fills up with grey. */
  readonly endsInMarker: boolean;
  readonly hasRestarts: boolean;
  /** Minimum coded units of the data. */
  readonly units: number;
  /** The tables of each block in a unit. */
  readonly blocks: readonly { readonly dc: JpegHuffmanTable; readonly ac: JpegHuffmanTable }[];
  readonly fileBytes: number;
}

function readScan(file: Buffer, { width, height, components }: JpegStructure): Scan {
  const tables = new Map<number, JpegHuffmanTable>();
  let interval = 0;
  let blocks: Scan['blocks'] = [];
  let start = file.length;
  for (const { marker, body, end } of jpegSegments(file)) {
    if (marker === HUFFMAN_TABLES)
      for (const [id, table] of JpegHuffmanTable.readAll(body)) tables.set(id, table);
    if (marker === RESTART_INTERVAL) interval = body.readUInt16BE(0);
    if (marker !== START_OF_SCAN) continue;
    blocks = components.flatMap(({ id, horizontal, vertical }) => {
      const at = 1 + 2 * components.findIndex((_, index) => body[1 + 2 * index] === id);
      const dc = tables.get(body[at + 1] >> 4) ?? JpegHuffmanTable.empty;
      const ac = tables.get(AC_TABLES + (body[at + 1] & 15)) ?? JpegHuffmanTable.empty;
      return Array.from({ length: components.length === 1 ? 1 : horizontal * vertical }, () => ({ dc, ac }));
    });
    start = end;
    break;
  }
  const isSingle = components.length === 1;
  const columns = isSingle ? 1 : Math.max(...components.map(({ horizontal }) => horizontal));
  const rows = isSingle ? 1 : Math.max(...components.map(({ vertical }) => vertical));
  let units = Math.ceil(width / (8 * columns)) * Math.ceil(height / (8 * rows));

  const bytes = new Uint8Array(file.length - start);
  const ends = new Uint32Array(bytes.length);
  let length = 0;
  let endsInMarker = false;
  for (let at = start; at < file.length;) {
    const byte = file[at++];
    if (byte === 0xff) {
      while (file[at] === 0xff) at++;
      if (at >= file.length) break;
      const marker = file[at++];
      if (marker >= 0xd0 && marker <= 0xd7 && interval > 0 && units > interval) {
        units -= interval;
        length = 0;
        continue;
      }
      endsInMarker = marker !== 0;
      if (endsInMarker) break;
    }
    bytes[length] = byte;
    ends[length++] = at;
  }
  return {
    bytes: bytes.subarray(0, length),
    ends: ends.subarray(0, length),
    endsInMarker,
    hasRestarts: interval > 0,
    units: interval > 0 ? Math.min(units, interval) : units,
    blocks,
    fileBytes: file.length,
  };
}

/** Tables of AC coefficients are numbered from here, those of DC coefficients from 0. */
const AC_TABLES = 16;

class BitBuffer {
  readonly #scan: Scan;
  /** Bytes that are in the buffer or were. */
  #loaded = 0;
  /** Bits that were taken out of it. */
  #taken = 0;
  /** Offset behind the bytes that Pillow has handed over. */
  #limit: number;
  #isFast = false;
  #isExhausted = false;

  constructor(scan: Scan) {
    this.#scan = scan;
    this.#limit = Math.ceil(scan.ends[0] / CHUNK_BYTES) * CHUNK_BYTES;
  }

  lasts(): boolean {
    const { units, blocks, ends, hasRestarts, fileBytes } = this.#scan;
    for (let unit = 0; unit < units;) {
      const [loaded, taken] = [this.#loaded, this.#taken];
      const handedOver = Math.min(this.#limit, fileBytes) - (loaded > 0 ? ends[loaded - 1] : ends[0]);
      this.#isFast = !hasRestarts && handedOver >= FAST_BYTES * blocks.length;
      for (const { dc, ac } of blocks) this.#takeBlock(dc, ac);
      if (!this.#isExhausted) {
        unit++;
      } else if (this.#limit >= fileBytes) {
        return false;
      } else {
        this.#limit += CHUNK_BYTES;
        this.#isExhausted = false;
        [this.#loaded, this.#taken] = [loaded, taken];
      }
    }
    return true;
  }

  #takeBlock(dc: JpegHuffmanTable, ac: JpegHuffmanTable): void {
    this.#take(this.#takeSymbol(dc));
    for (let k = 1; k < 64 && !this.#isExhausted; k++) {
      const symbol = this.#takeSymbol(ac);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0 && run !== 15) break;
      k += run;
      this.#take(size);
    }
  }

  #takeSymbol(table: JpegHuffmanTable): number {
    this.#need(LOOKAHEAD_BITS);
    const code = table.find(this.#peek());
    if (!this.#isFast && code.bits > LOOKAHEAD_BITS) {
      // libjpeg takes the bits beyond its lookahead one by one.
      this.#take(LOOKAHEAD_BITS + 1);
      for (let bit = LOOKAHEAD_BITS + 1; bit < code.bits; bit++) this.#take(1);
    } else {
      this.#taken += code.bits;
    }
    return code.symbol;
  }

  #take(bits: number): void {
    if (bits === 0) return;
    this.#need(bits);
    this.#taken += bits;
  }

  #need(bits: number): void {
    const { ends, fileBytes } = this.#scan;
    if (this.#isFast) {
      if (this.#left <= FAST_LOW_BITS) this.#loaded += FAST_FILL_BYTES;
    } else if (this.#left < bits) {
      const limit = Math.min(this.#limit, fileBytes);
      while (this.#left < FULL_BITS && !this.#isExhausted) {
        if (this.#loaded < ends.length && ends[this.#loaded] <= limit) this.#loaded++;
        else this.#isExhausted = true;
      }
    }
  }

  get #left(): number {
    return this.#loaded * 8 - this.#taken;
  }

  /** The next bits; those behind the last one do not count. */
  #peek(): number {
    const { bytes } = this.#scan;
    const at = this.#taken >> 3;
    const three = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    return (three >> (24 - MAX_CODE_BITS - (this.#taken & 7))) & ((1 << MAX_CODE_BITS) - 1);
  }
}
