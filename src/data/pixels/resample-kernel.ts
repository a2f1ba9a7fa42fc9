import { compileFile, WebAssembly, type WebAssemblyMemory } from '../../common/web-assembly.js';

/** The functions of resample.wat. Pointers are numbers. */
interface Kernel {
  readonly memory: WebAssemblyMemory;
  narrowRow(
    source: number,
    target: number,
    starts: number,
    counts: number,
    weights: number,
    stride: number,
    length: number,
  ): void;
  mergeRows(source: number, target: number, weights: number, count: number, rowBytes: number): void;
}

const PAGE = 65536;

/** Buffers start at multiples of it, and have as much slack at their end: the kernel writes four bytes at a time. */
const ALIGNMENT = 16;

const { exports } = new WebAssembly.Instance(compileFile(new URL('resample.wasm', import.meta.url)), {});
export const kernel = exports as Kernel;

/**
 * Lays buffers of these lengths (bytes) side by side in the kernel's memory and returns where they start. What lay
 * there before is gone.
 */
export function layOut(...lengths: readonly number[]): number[] {
  let end = 0;
  const starts = lengths.map((length) => {
    const start = end;
    end = (Math.ceil((start + length) / ALIGNMENT) + 1) * ALIGNMENT;
    return start;
  });
  const missing = Math.ceil((end - kernel.memory.buffer.byteLength) / PAGE);
  if (missing > 0) kernel.memory.grow(missing);
  return starts;
}
