import { closeSync, fchmodSync } from 'node:fs';

/** System calls for memory shared between processes, which Node lacks. Linux on 64-bit little-endian machines. */
export interface Libc {
  /** Creates a file in memory, sealed against changes of its size. Returns its descriptor. */
  createMemory(name: string, bytes: number): number;
  /** Returns whether the file is sealed against shrinking: then no access to a mapping of it can fail. */
  cannotShrink(descriptor: number): boolean;
  map(descriptor: number, bytes: number, access: 'read' | 'read and write'): Mapping;
}

/** A file's bytes as memory, until it is closed. */
export interface Mapping {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Unmaps the memory. Existing arrays of it read zeros from then on. */
  close(): void;
}

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
/** mmap's answer where it failed: (void *) -1. */
const MAP_FAILED = 2n ** 64n - 1n;

let loaded: Promise<Libc> | undefined;

/** The same each time: what unmaps has to last as long as the process. Rejects where this system has no such calls. */
export function loadLibc(): Promise<Libc> {
  return (loaded ??= load());
}

async function load(): Promise<Libc> {
  if (process.platform !== 'linux') throw new Error(`${process.platform} has no memfd_create`);
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const call = (declaration: string): ((...values: unknown[]) => unknown) => library.func(declaration);
  const memfdCreate = call('int memfd_create(const char *name, unsigned int flags)');
  const ftruncate = call('int ftruncate(int fd, int64_t bytes)');
  const fcntl = call('int fcntl(int fd, int command, ...)');
  const mmap = call('void *mmap(void *at, size_t bytes, int access, int flags, int fd, int64_t from)');
  const munmap = call('int munmap(void *at, size_t bytes)');
  const failed = (what: string): Error => {
    const number = koffi.errno();
    const name = Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0];
    return new Error(`${what} failed: ${name ?? `error ${number}`}`);
  };
  const unmap = new FinalizationRegistry<{ readonly at: bigint; readonly size: number }>(({ at, size }) => {
    munmap(at, size);
  });
  return {
    createMemory: (name, bytes) => {
      const descriptor = memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) as number;
      if (descriptor < 0) throw failed('memfd_create');
      const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
      try {
        // The system makes it open to all, with nothing but the way to it closed.
        fchmodSync(descriptor, 0o600);
        if (ftruncate(descriptor, bytes) !== 0) throw failed('ftruncate');
        if (fcntl(descriptor, F_ADD_SEALS, 'int', seals) !== 0) throw failed('F_ADD_SEALS');
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
      return descriptor;
    },
    cannotShrink: (descriptor) => {
      const seals = fcntl(descriptor, F_GET_SEALS, 'int', 0) as number;
      return seals >= 0 && (seals & F_SEAL_SHRINK) !== 0;
    },
    map: (descriptor, size, access) => {
      const protection = access === 'read' ? PROT_READ : PROT_READ | PROT_WRITE;
      const pointer = mmap(null, size, protection, MAP_SHARED, descriptor, 0) as bigint;
      if (BigInt.asUintN(64, pointer) === MAP_FAILED) throw failed('mmap');
      const buffer = koffi.view(pointer, size);
      // No earlier: an array of it may be in use still, and must not lead to where nothing is.
      unmap.register(buffer, { at: pointer, size });
      const close = (): void => {
        const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
        const answer = mmap(pointer, size, protection, flags, -1, 0) as bigint;
        if (answer !== pointer) throw failed('mmap');
      };
      return { bytes: new Uint8Array(buffer), close };
    },
  };
}
