import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { runChild } from './child-job.js';
import { packPath, temporaryPackPath } from './pack-cache.js';
import type { PackRequest } from './pack-images.js';
import type { PackEvent, PackResult } from './packer.js';

/** The share of broken images that a run puts up with. */
export const DEFAULT_MAX_BROKEN_SHARE = 0.01;

export interface PrepareOptions {
  /** An image folder as torchvision's ImageFolder takes it. */
  readonly root: string;
  /** Also links that lead out of the root; none by default. */
  readonly followLinks?: boolean;
  /** Pixels a side. */
  readonly size: number;
  /** The cache folder: packs go to its sub-folder faces. */
  readonly cache: string;
  /** 0 .. 1: a larger share of broken images is a UserError. */
  readonly maxBrokenShare: number;
  /** Threads that decode; as many as cores by default. */
  readonly decoders?: number;
  readonly onProgress?: (done: number, total: number) => void;
  /** Called once for each broken image, on later runs too. */
  readonly onBroken?: (path: string, reason: string) => void;
  /** Called with one line where links were not followed, on later runs too. */
  readonly onLinksLeftOut?: (line: string) => void;
  /** Called with one line if a damaged pack was found; the images are decoded again. */
  readonly onDamaged?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface PreparedFaces {
  /** The pack. */
  readonly path: string;
  readonly count: number;
  /** How many images were left out. */
  readonly broken: number;
  /** How many images were decoded for it just now: none, where an earlier run did it. */
  readonly decoded: number;
  readonly fingerprint: string;
  /** Pixels a side. */
  readonly size: number;
}

/** libuv's threads, which sharp decodes on: one for each decoder, and some for the pack's writes. */
const SPARE_THREADS = 2;

/**
 * Finds or makes the pack of an image folder. All of it happens in a child process, so that this one neither
 * blocks nor grows.
 */
export async function prepareFaces(options: PrepareOptions): Promise<PreparedFaces> {
  const { size, followLinks = false, decoders = availableParallelism(), signal } = options;
  const cache = resolve(options.cache);
  const temporary = temporaryPackPath(cache);
  const { root, maxBrokenShare } = options;
  try {
    const packed = await runChild<PackRequest, PackEvent, PackResult>({
      name: 'that decodes images',
      entry: new URL('packer.js', import.meta.url),
      request: { root, followLinks, size, cache, maxBrokenShare, decoders, temporary },
      environment: { UV_THREADPOOL_SIZE: `${decoders + SPARE_THREADS}` },
      signal,
      onEvent(event) {
        tell(options, event);
      },
    });
    const { fingerprint, count, broken, decoded } = packed;
    return { path: packPath(cache, fingerprint), count, broken: broken.length, decoded, fingerprint, size };
  } finally {
    // A child that was killed could not. Where even this fails, a cache is out of reach, which it has said.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function tell(options: PrepareOptions, event: PackEvent): void {
  const { root, onProgress, onBroken, onLinksLeftOut, onDamaged } = options;
  switch (event.kind) {
    case 'progress':
      onProgress?.(event.done, event.total);
      return;
    case 'broken':
      onBroken?.(event.file.path, event.file.reason);
      return;
    case 'linksLeftOut':
      onLinksLeftOut?.(
        `left out ${event.count} link${event.count === 1 ? '' : 's'} out of ${root}: --follow-links takes such too`,
      );
      return;
    case 'damaged':
      onDamaged?.(`the decoded faces in ${event.path} are damaged: decoding the images again`);
  }
}
