/** The part of WebAssembly that is used here. Node has it, @types/node 20 leaves its types to the browser's. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => WebAssemblyModule;
  readonly Instance: new (
    module: WebAssemblyModule,
    imports: Record<string, Record<string, ((...args: number[]) => number) | WebAssemblyMemory>>,
  ) => { readonly exports: unknown };
  readonly RuntimeError: new () => Error;
}

export interface WebAssemblyMemory {
  /** Another one after each growth. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export interface WebAssemblyModule {
  /** Opaque. */
  readonly compiled?: never;
}

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };
