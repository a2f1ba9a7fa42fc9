import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { WebAssembly, type WebAssemblyModule } from '../../common/web-assembly.js';
import { coefficientBytes } from './jpeg-cost.js';
import type { JpegStructure } from './jpeg-structure.js';
import { BrokenImage, CHANNELS, type Pixels } from '../pixels/pixels.js';

/** Exports of @cwasm/jpeg-turbo: the C interface of libjpeg-turbo. Pointers are numbers. */
interface Turbo {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(pointer: number): void;
  tjInitDecompress(): number;
  tjDestroy(decompressor: number): number;
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
const TJPF_RGB = 0;
const TJPF_CMYK = 11;

/** A larger memory is not kept for the next picture: WebAssembly gives nothing of it back. */
const MAX_KEPT_BYTES = 64 * 2 ** 20;

/** Bytes that libjpeg needs besides coefficients and pixels, with a margin. */
const WORKING_BYTES = 2 ** 20;

/** A picture, and whether libjpeg warned of damage. */
export interface DecodedJpeg {
  readonly pixels: Pixels;
  readonly isDamaged: boolean;
}

/**
 * Decodes JPEG by libjpeg-turbo in WebAssembly, on the calling thread. sharp takes 0.7 ms a picture before it
 * decodes anything, more than a face of CelebA's size takes as a whole. The pixels are those of Pillow, which uses
 * libjpeg-turbo too.
 */
export class JpegDecoder {
  #module: WebAssemblyModule | undefined;
  #turbo: Turbo | undefined;

  /**
   * Like Pillow, takes what libjpeg makes of damaged data if it only warns. Throws a BrokenImage if libjpeg fails.
   * The file is one that checkJpegCost admits.
   */
  decode(bytes: Uint8Array, structure: JpegStructure): DecodedJpeg {
    const { width, height, components } = structure;
    const turbo = (this.#turbo ??= this.#instantiate());
    const allocated: number[] = [];
    const allocate = (length: number): number => {
      const pointer = turbo.malloc(length) >>> 0;
      if (pointer === 0) throw new Error(`could not allocate ${length} bytes of memory to decode a jpeg`);
      allocated.push(pointer);
      return pointer;
    };
    let decompressor = 0;
    try {
      const source = allocate(bytes.length);
      const cmyk = components.length === 4;
      const pitch = width * (cmyk ? 4 : CHANNELS);
      const target = allocate(pitch * height);
      // Memory that is missing is an error here; within libjpeg it would look like damage.
      allocate(coefficientBytes(structure) + WORKING_BYTES);
      turbo.free(allocated.pop() ?? 0);
      new Uint8Array(turbo.memory.buffer, source, bytes.length).set(bytes);
      decompressor = turbo.tjInitDecompress();
      const format = cmyk ? TJPF_CMYK : TJPF_RGB;
      // Its result tells of warnings. A failure arrives as a Jump.
      const isDamaged =
        turbo.tjDecompress2(decompressor, source, bytes.length, target, width, pitch, height, format, 0) !==
        0;
      const decoded = new Uint8Array(turbo.memory.buffer, target, pitch * height);
      const data = cmyk ? inksToColours(decoded) : decoded;
      if (turbo.memory.buffer.byteLength <= MAX_KEPT_BYTES)
        return { pixels: { data: data.slice(), width, height }, isDamaged };
      this.#turbo = undefined; // The memory goes with the picture.
      return { pixels: { data, width, height }, isDamaged };
    } catch (error) {
      // A fatal error comes as a jump out of C, which leaves the instance's stack wherever it was.
      this.#turbo = undefined;
      if (error instanceof Jump || error instanceof WebAssembly.RuntimeError)
        throw new BrokenImage('its jpeg data is damaged or cut off');
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
 * Turns inks into colours as Pillow does: without a colour profile, and inverted as Adobe writes them. The colours
 * take the place of the inks. [n, 4] -> [n, 3]
 */
function inksToColours(inks: Uint8Array): Uint8Array {
  let to = 0;
  for (let from = 0; from < inks.length; from += 4) {
    const black = inks[from + 3];
    for (let channel = 0; channel < CHANNELS; channel++) {
      const product = (255 - inks[from + channel]) * black + 128;
      inks[to++] = black - (((product >> 8) + product) >> 8);
    }
  }
  return inks.subarray(0, to);
}
