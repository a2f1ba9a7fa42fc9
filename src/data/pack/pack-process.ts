import { rmSync } from 'node:fs';
import { serveParent } from '../child-job.js';
import type { Packed } from './pack-cache.js';
import { packImages, type PackRequest } from './pack-images.js';

/** The child process of prepareFaces(). */

export type PackEvent =
  | { readonly kind: 'listing'; readonly found: number }
  | { readonly kind: 'decoding'; readonly done: number; readonly total: number }
  | { readonly kind: 'warning'; readonly line: string };

export type PackResult = Packed & { readonly decoded: number };

/** Progress is for people. */
const PROGRESS_EVERY = 100; // milliseconds

serveParent<PackRequest>(
  (request, emit): Promise<PackResult> => {
    let told = performance.now();
    const isTimeToTell = (): boolean => {
      if (performance.now() - told < PROGRESS_EVERY) return false;
      told = performance.now();
      return true;
    };
    return packImages(request, {
      listing(found) {
        if (isTimeToTell()) emit({ kind: 'listing', found } satisfies PackEvent);
      },
      decoding(done, total) {
        if (done === total || isTimeToTell()) emit({ kind: 'decoding', done, total } satisfies PackEvent);
      },
      warning(line) {
        emit({ kind: 'warning', line } satisfies PackEvent);
      },
    });
  },
  ({ temporary }) => {
    rmSync(temporary, { force: true });
  },
);
