import { rmSync } from 'node:fs';
import { serveParent } from './child-job.js';
import type { BrokenFile, Packed } from './pack-cache.js';
import { packImages, type PackRequest } from './pack-images.js';

/** The child process of prepareFaces(). */

export type PackEvent =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'broken'; readonly file: BrokenFile }
  | { readonly kind: 'linksLeftOut'; readonly count: number }
  | { readonly kind: 'damaged'; readonly path: string };

export type PackResult = Packed & { readonly decoded: number };

/** Progress is for people. */
const PROGRESS_EVERY = 100; // milliseconds

serveParent<PackRequest>(
  (request, emit): Promise<PackResult> => {
    let told = 0;
    return packImages(request, {
      progress(done, total) {
        if (done < total && performance.now() - told < PROGRESS_EVERY) return;
        told = performance.now();
        emit({ kind: 'progress', done, total } satisfies PackEvent);
      },
      broken(file) {
        emit({ kind: 'broken', file } satisfies PackEvent);
      },
      linksLeftOut(count) {
        emit({ kind: 'linksLeftOut', count } satisfies PackEvent);
      },
      damaged(path) {
        emit({ kind: 'damaged', path } satisfies PackEvent);
      },
    });
  },
  ({ temporary }) => {
    rmSync(temporary, { force: true });
  },
);
