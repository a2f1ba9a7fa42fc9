import { compileFile, WebAssembly, type WebAssemblyMemory } from '../../common/web-assembly.js';

/**
 * The functions of kernels.wat, which says what they do. Addresses, strides and the `pixel` of an image are bytes,
 * the rest are counts of floats.
 */
export interface Kernels {
  pack(
    source: number,
    laneStride: number,
    depthStride: number,
    target: number,
    width: 4 | 8,
    lanes: number,
    depth: number,
  ): void;
  multiply(
    left: number,
    right: number,
    product: number,
    stride: number,
    rows: number,
    columns: number,
    depth: number,
    accumulate: number,
    edge: number,
  ): void;
  moveRow(
    row: number,
    width: number,
    pixel: number,
    columns: number,
    stride: number,
    places: number,
    filterWidth: number,
    step: number,
    padding: number,
    scatter: number,
  ): void;
  leak(gradient: number, features: number, target: number, count: number, slope: number): void;
  tanhGradient(gradient: number, output: number, target: number, count: number): void;
  sumRows(features: number, rows: number, channels: number, sums: number): void;
  sumProducts(
    values: number,
    features: number,
    mean: number,
    rows: number,
    channels: number,
    sums: number,
  ): void;
  scaleRows(
    values: number,
    features: number,
    target: number,
    rows: number,
    channels: number,
    valueScale: number,
    featureScale: number,
    shift: number,
  ): void;
}

/** Makes the functions work in this memory. */
export function instantiateKernels(memory: WebAssemblyMemory): Kernels {
  const module = compileFile(new URL('kernels.wasm', import.meta.url));
  return new WebAssembly.Instance(module, { tensorflow: { memory } }).exports as Kernels;
}
