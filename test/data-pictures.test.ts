import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { kindOf, type ImageKind } from '../src/data/decode/image-kind.js';
import { openImage } from '../src/data/decode/open-image.js';
import { BrokenImage } from '../src/data/pixels/pixels.js';

interface Sample {
  readonly name: string;
  /** Base64. */
  readonly file: string;
  /** "WIDTHxHEIGHT SHA-256" of Pillow's pixels; null if Pillow refuses the file. */
  readonly pixels: string | null;
}

/** Made by fixtures/pillow/make.py. */
const fixture = join(import.meta.dirname, '../../test/fixtures/pillow/pictures.json.gz');
const samples = JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as readonly Sample[];

describe("odd pictures give Pillow's pixels, or are broken if Pillow refuses them", () => {
  const titles: Readonly<Record<ImageKind, string>> = {
    jpeg: 'JPEG: inks, damage that libjpeg warns of, missing ends, all samplings and codings',
    gif: 'GIF: transparency, small and large frames, palettes, damage',
    png: 'PNG: transparency and animation',
    webp: 'WebP: transparency and animation',
    bmp: 'BMP: run lengths, OS/2, colour masks, palettes that are too short or too long',
  };
  for (const [kind, title] of Object.entries(titles)) {
    it(title, async () => {
      const mismatches: string[] = [];
      let read = 0;
      for (const { name, file, pixels } of samples) {
        const bytes = Buffer.from(file, 'base64');
        if (kindOf(bytes) !== kind) continue;
        const ours = await pixelsOf(bytes, kind);
        if (ours !== pixels) mismatches.push(`${name}: ${ours}, Pillow: ${pixels}`);
        if (pixels !== null) read++;
      }
      assert.deepEqual(mismatches, []);
      assert.ok(read >= 5, `only ${read} pictures were read`);
    });
  }
});

async function pixelsOf(bytes: Buffer, kind: ImageKind): Promise<string | null> {
  try {
    const { data, width, height } = await openImage(bytes, kind).decode();
    return `${width}x${height} ${createHash('sha256').update(data).digest('hex')}`;
  } catch (error) {
    assert.ok(error instanceof BrokenImage, String(error));
    return null;
  }
}
