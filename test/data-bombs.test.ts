import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32, deflateSync } from 'node:zlib';
import { decodeFile } from '../src/data/decode/decode-file.js';
import { LargePictureTurn } from '../src/data/decode/large-picture-turn.js';

const SIZE = 16;
const MEBIBYTE = 2 ** 20;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-bombs-'));
});
after(() => rm(folder, { recursive: true }));

/** Decodes the file, and asserts that memory did not grow beyond its own size and `mebibytes`. */
async function decode(file: Buffer, mebibytes = 100): ReturnType<typeof decodeFile> {
  const path = join(folder, 'bomb');
  await writeFile(path, file);
  const peak = (): number => (process.resourceUsage().maxRSS * 1024) / MEBIBYTE;
  const start = peak();
  const decoded = await decodeFile(path, SIZE);
  const growth = peak() - start;
  assert.ok(growth < mebibytes + file.length / MEBIBYTE, `memory grew by ${growth.toFixed(0)} MiB`);
  return decoded;
}

async function assertBroken(file: Buffer, reason: RegExp): Promise<void> {
  const decoded = await decode(file);
  assert.ok(decoded.kind === 'broken' && reason.test(decoded.reason), JSON.stringify(decoded));
}

describe('a picture that claims more than it holds is broken, at no cost', () => {
  const cases: Record<string, [Buffer, RegExp]> = {
    'a progressive JPEG of 20,000 x 20,000': [jpeg({ side: 20_000 }), /more than the 178.\d+ million/],
    'a progressive JPEG of 13,000 x 13,000': [
      jpeg({ side: 13_000 }),
      /bytes cannot hold 13000 x 13000 pixels/,
    ],
    'an arithmetic JPEG of 13,000 x 13,000': [jpeg({ side: 13_000, frame: 0xca }), /bytes cannot hold/],
    'a JPEG of 3,000 scans': [jpeg({ side: 4000, scans: 3000 }), /3001 scans, more than the 500 allowed/],
    'a JPEG of 400 scans of 165 megapixels': [
      jpeg({ side: 12_800, scans: 400, data: 200 * 2 ** 10 }),
      /scans decode \d+ blocks, more than/,
    ],
    'a PNG of 20,000 x 20,000': [png({ side: 20_000 }), /more than the 178.\d+ million/],
    'a PNG of 13,000 x 13,000': [png({ side: 13_000 }), /cut off/],
    'an interlaced PNG of 13,000 x 13,000': [png({ side: 13_000, interlaced: true }), /cut off/],
    'a WebP of 100,000 x 4,000': [animatedWebp(100_000, 4000, 2), /more than the 178.\d+ million/],
    'a GIF of 13,000 x 13,000': [gif(13_000), /cut off/],
    'a GIF of 65,535 x 65,535': [gif(65_535), /more than the 178.\d+ million/],
    'a bitmap of 13,000 x 13,000': [bitmap(13_000, 24, 0), /cut off/],
    'a run-length encoded bitmap of 13,000 x 13,000': [bitmap(13_000, 8, 1), /cut off/],
  };
  for (const [name, [file, reason]] of Object.entries(cases)) it(name, () => assertBroken(file, reason));
});

describe('what a picture carries beside its first frame is not unpacked', () => {
  const gibibyte = deflateSync(Buffer.alloc(2 ** 30), { level: 1 });
  const small = { side: 8, raw: Buffer.alloc(8 * (1 + 8 * 3)) };
  for (const type of ['zTXt', 'iCCP']) {
    it(`a PNG with a ${type} chunk of 1 GiB`, async () => {
      const decoded = await decode(
        png({ ...small, extra: pngChunk(type, [Buffer.from('a\0\0'), gibibyte]) }),
      );
      assert.equal(decoded.kind, 'face');
    });
  }

  it('a PNG with 1 GiB behind its last row', async () => {
    const compressed = deflateSync(Buffer.concat([small.raw, Buffer.alloc(2 ** 29)]), { level: 1 });
    await decode(png({ side: 8, compressed }));
  });

  it('a WebP of 200,000 frames', async () => {
    assert.equal((await decode(animatedWebp(64, 64, 200_000))).kind, 'face');
  });
});

it('one large picture is decoded at a time, and a failure gives the turn back', async () => {
  const turn = new LargePictureTurn();
  const other = new LargePictureTurn(turn.shared);
  await assert.rejects(
    turn.hold(() => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(turn.shared[0], 0);
  await other.hold(async () => {
    assert.equal(turn.shared[0], 1);
    await sleep(1);
  });
  assert.equal(turn.shared[0], 0);
});

/** A JPEG with tables and scans, but hardly any data in them. `data`: bytes of the first scan. */
function jpeg({ side = 0, frame = 0xc2, inks = 3, scans = 0, data = 0 }): Buffer {
  const segment = (marker: number, ...body: number[]): Buffer =>
    Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body]);
  const ids = Array.from({ length: inks }, (_, index) => index + 1);
  const scan = (...parts: number[]): Buffer => segment(0xda, ...parts);
  const one = Buffer.concat([scan(1, 1, 0, 1, 63, 0), Buffer.alloc(200, 0x9f)]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, 0, ...Array.from({ length: 64 }, () => 1)),
    segment(
      frame,
      8,
      side >> 8,
      side & 255,
      side >> 8,
      side & 255,
      inks,
      ...ids.flatMap((id) => [id, 0x11, 0]),
    ),
    segment(0xc4, 0x00, 1, ...Array.from({ length: 15 }, () => 0), 0),
    segment(0xc4, 0x10, 1, 0, 1, ...Array.from({ length: 13 }, () => 0), 0, 0xe0),
    scan(inks, ...ids.flatMap((id) => [id, 0]), 0, 0, 0),
    Buffer.alloc(data === 0 ? 0 : Math.max(data, Math.ceil((side * side * inks) / 64 / 8))),
    ...Array.from({ length: scans }, () => one),
    Buffer.from([0xff, 0xd9]),
  ]);
}

function pngChunk(type: string, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from(type), ...parts]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

interface PngParts {
  readonly side: number;
  readonly interlaced?: boolean;
  readonly raw?: Buffer;
  readonly compressed?: Buffer;
  readonly extra?: Buffer;
}

function png({
  side,
  interlaced = false,
  raw = Buffer.alloc(30),
  compressed = deflateSync(raw),
  extra = Buffer.alloc(0),
}: PngParts): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, interlaced ? 1 : 0]);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', [header]),
    extra,
    pngChunk('IDAT', [compressed]),
    pngChunk('IEND', []),
  ]);
}

/** Frames of 16 x 16 black pixels. */
function animatedWebp(width: number, height: number, frames: number): Buffer {
  const chunk = (type: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return Buffer.concat([Buffer.from(type), length, body, Buffer.alloc(body.length % 2)]);
  };
  const three = (value: number): number[] => [value & 255, (value >> 8) & 255, value >> 16];
  const pixels = chunk('VP8L', Buffer.from([47, 15, 192, 3, 0, 7, 16, 17, 253, 15, 68, 68, 255, 3]));
  const shown = Buffer.from([...three(0), ...three(0), ...three(15), ...three(15), ...three(100), 0]);
  const frame = chunk('ANMF', Buffer.concat([shown, pixels]));
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    chunk('VP8X', Buffer.from([0x12, 0, 0, 0, ...three(width - 1), ...three(height - 1)])),
    chunk('ANIM', Buffer.alloc(6)),
    ...Array.from({ length: frames }, () => frame),
  ]);
  return chunk('RIFF', body);
}

function gif(side: number): Buffer {
  const [low, high] = [side & 255, side >> 8];
  const frame = [0x2c, 0, 0, 0, 0, low, high, low, high, 0, 2, 2, 0x4c, 1, 0, 0x3b];
  return Buffer.concat([Buffer.from('GIF89a'), Buffer.from([low, high, low, high, 0, 0, 0, ...frame])]);
}

function bitmap(side: number, bits: number, compression: number): Buffer {
  const header = Buffer.alloc(54);
  header.write('BM');
  header.writeUInt32LE(bits === 8 ? 54 + 1024 : 54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(side, 18);
  header.writeInt32LE(side, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  header.writeUInt32LE(compression, 30);
  return Buffer.concat([header, Buffer.alloc(bits === 8 ? 1024 : 0), Buffer.alloc(100, 0xff)]);
}
