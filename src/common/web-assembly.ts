import { readFileSync } from 'node:fs';

/** The part of WebAssembly that is used here. Node has it, @types/node 20 leaves its types to the browser's. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => WebAssemblyModule;
  readonly Instance: new (
    module: WebAssemblyModule,
    imports: Record<
      string,
      Record<string, ((...args: number[]) => number) | WebAssemblyMemory | SharedWebAssemblyMemory>
    >,
  ) => { readonly exports: unknown };
  readonly RuntimeError: new () => Error;
  /** Sizes in pages of 64 KiB. */
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => SharedWebAssemblyMemory;
}

export interface WebAssemblyMemory {
  /** Another one after each growth. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** A memory that several threads see. What was given out of it stays as it is when it grows. */
export interface SharedWebAssemblyMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

export interface WebAssemblyModule {
  /** Opaque. */
  readonly compiled?: never;
}

/** Reads and compiles a .wasm file that the build made of the .wat beside its user. */
export function compileFile(url: URL): WebAssemblyModule {
  return new WebAssembly.Module(readFileSync(url));
}

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };
