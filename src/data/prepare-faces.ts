import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { runChild } from './child-job.js';
import type { FolderLayout } from './folder/image-folder.js';
import { packPath, temporaryPackPath } from './pack/pack-cache.js';
import type { OfferedOption, PackRequest } from './pack/pack-images.js';
import type { PackEvent, PackResult } from './pack/pack-process.js';

/** The share of broken images that a run puts up with. */
export const DEFAULT_MAX_BROKEN_SHARE = 0.01;

export interface PrepareOptions {
  /** An image folder as torchvision's ImageFolder takes it. */
  readonly root: string;
  /** classes by default. */
  readonly layout?: FolderLayout;
  /** Also links that lead out of the root; none by default. */
  readonly followLinks?: boolean;
  /** Pixels a side. */
  readonly size: number;
  /** The cache folder: packs go to its sub-folder faces. */
  readonly cache: string;
  /** 0 .. 1: a larger share of broken images is a UserError. */
  readonly maxBrokenShare: number;
  /** Options that messages may tell the user to change; none by default. */
  readonly offered?: readonly OfferedOption[];
  /** Threads that decode; as many as cores by default. */
  readonly decoders?: number;
  /** Called with the number of files found so far. */
  readonly onListing?: (found: number) => void;
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with each line on files that are not used, on later runs too, and on a damaged pack. */
  readonly onWarning?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface PreparedFaces {
  /** The pack. */
  readonly path: string;
  readonly count: number;
  /** Count of skipped images. */
  readonly broken: number;
  /** Count of images that were decoded now: 0 if the pack existed. */
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
  const { layout = 'classes', size, followLinks = false, offered = [], signal } = options;
  const { decoders = availableParallelism() } = options;
  const cache = resolve(options.cache);
  const temporary = temporaryPackPath(cache);
  const { root, maxBrokenShare } = options;
  try {
    const packed = await runChild<PackRequest, PackEvent, PackResult>({
      name: 'that decodes images',
      entry: new URL('pack/pack-process.js', import.meta.url),
      request: { root, layout, followLinks, size, cache, maxBrokenShare, offered, decoders, temporary },
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

function tell({ onListing, onProgress, onWarning }: PrepareOptions, event: PackEvent): void {
  switch (event.kind) {
    case 'listing':
      onListing?.(event.found);
      return;
    case 'decoding':
      onProgress?.(event.done, event.total);
      return;
    case 'warning':
      onWarning?.(event.line);
  }
}
