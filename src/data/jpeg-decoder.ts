import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { refuseHuge, type Pixels } from './pixels.js';
import { WebAssembly, type WebAssemblyModule } from '../common/web-assembly.js';

/** What @cwasm/jpeg-turbo exports: the C interface of libjpeg-turbo. Pointers are numbers. */
interface Turbo {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(pointer: number): void;
  tjInitDecompress(): number;
  tjDestroy(decompressor: number): number;
  tjDecompressHeader3(
    decompressor: number,
    bytes: number,
    length: number,
    width: number,
    height: number,
    subsampling: number,
    colourSpace: number,
  ): number;
  tjDecompress2(
    decompressor: number,
    bytes: number,
    length: number,
    into: number,
    width: number,
    pitch: number,
    height: number,
    pixelFormat: number,
    flags: number,
  ): number;
}

/** From turbojpeg.h. */
const TJCS_CMYK = 3;
const TJPF_RGB = 0;
const TJPF_CMYK = 11;
const FORMAT_4_CHANNELS = [TJCS_CMYK, TJCS_CMYK + 1]; // CMYK, YCCK

/**
 * Decodes JPEG by libjpeg-turbo in WebAssembly, on the calling thread. sharp spends 0.7 ms a picture before it
 * decodes anything, more than a face of CelebA's size takes as a whole; and these pixels are the very ones that
 * Pillow gets, which is libjpeg-turbo too.
 */
export class JpegDecoder {
  #module: WebAssemblyModule | undefined;
  #turbo: Turbo | undefined;

  /**
   * Undefined where libjpeg-turbo failed or had something to complain of (it does not say here which): let another
   * decoder judge. `atLeast` is the shorter side that the caller needs: a much larger picture is decoded at a
   * half, a quarter or an eighth, which costs up to four times less.
   */
  decode(bytes: Uint8Array, atLeast: number): Pixels | undefined {
    const turbo = (this.#turbo ??= this.#instantiate());
    const allocated: number[] = [];
    const allocate = (length: number): number => {
      const pointer = turbo.malloc(length);
      if (pointer === 0) throw new RangeError('out of memory');
      allocated.push(pointer);
      return pointer;
    };
    let decompressor = 0;
    try {
      const source = allocate(bytes.length);
      new Uint8Array(turbo.memory.buffer, source, bytes.length).set(bytes);
      decompressor = turbo.tjInitDecompress();
      const header = allocate(4 * 4);
      if (
        turbo.tjDecompressHeader3(
          decompressor,
          source,
          bytes.length,
          header,
          header + 4,
          header + 8,
          header + 12,
        )
      ) {
        return undefined;
      }
      const [fullWidth, fullHeight, , colourSpace] = new Int32Array(turbo.memory.buffer, header, 4);
      const original = { width: fullWidth, height: fullHeight };
      const reduction = affordableReduction(Math.min(fullWidth, fullHeight), atLeast);
      const width = Math.ceil(fullWidth / reduction);
      const height = Math.ceil(fullHeight / reduction);
      refuseHuge({ width, height });

      const cmyk = FORMAT_4_CHANNELS.includes(colourSpace);
      const pitch = width * (cmyk ? 4 : 3);
      const target = allocate(pitch * height);
      const format = cmyk ? TJPF_CMYK : TJPF_RGB;
      if (turbo.tjDecompress2(decompressor, source, bytes.length, target, width, pitch, height, format, 0)) {
        return undefined;
      }
      const decoded = new Uint8Array(turbo.memory.buffer, target, pitch * height);
      return { data: cmyk ? fromCmyk(decoded) : decoded.slice(), width, height, original, reduction };
    } catch (error) {
      // A fatal error comes as a jump out of C, which leaves the instance's stack wherever it was.
      if (error instanceof Jump || error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
        this.#turbo = undefined;
        return undefined;
      }
      throw error;
    } finally {
      if (this.#turbo) {
        if (decompressor) turbo.tjDestroy(decompressor);
        for (const pointer of allocated) turbo.free(pointer);
      }
    }
  }

  #instantiate(): Turbo {
    this.#module ??= new WebAssembly.Module(
      readFileSync(createRequire(import.meta.url).resolve('@cwasm/jpeg-turbo/jpeg-turbo.wasm')),
    );
    const none = (): number => 0;
    const jump = (): never => {
      throw new Jump();
    };
    const { exports } = new WebAssembly.Instance(this.#module, {
      env: { setjmp: none, longjmp: jump },
      wasi_snapshot_preview1: {
        environ_sizes_get: none,
        environ_get: none,
        fd_close: none,
        fd_seek: none,
        fd_write: none,
        proc_exit: jump,
      },
    });
    return exports as Turbo;
  }
}

/** libjpeg's error exit, which is a longjmp in C. */
class Jump extends Error {}

/**
 * The cosine transform's own reduction leaves at least twice the resolution that is needed, so that the resize
 * still has something to average: against a full decode the mean difference is 0.2 of 255, the largest 3.
 */
function affordableReduction(shorter: number, atLeast: number): number {
  let reduction = 1;
  while (reduction < 8 && shorter / (reduction * 2) >= 2 * atLeast) reduction *= 2;
  return reduction;
}

/** As Pillow does it: no colour profile, and the inks inverted as Adobe writes them. [n, 4] -> [n, 3] */
function fromCmyk(inks: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, to = 0; from < inks.length; from += 4) {
    const black = inks[from + 3];
    for (let channel = 0; channel < 3; channel++) {
      const product = (255 - inks[from + channel]) * black + 128;
      rgb[to++] = black - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}
