import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { runChild } from './child-job.js';
import type { DrawRequest } from './draw-images.js';
import type { DrawEvent } from './painter.js';

export interface DrawOptions {
  /** Becomes an image folder; what an interrupted run left in it is completed. */
  readonly folder: string;
  readonly count: number;
  readonly seed: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What a run trains on that was given no images. */
export const DEFAULT_FACES = { count: 4000, seed: 0 } as const;

/** Where the cache keeps them. */
export function defaultFaces(cache: string): string {
  return join(cache, 'drawn-faces');
}

/** Draws cartoon faces (facesjs) into an image folder: the same pictures for the same seed. */
export async function drawFaces({ folder, count, seed, onProgress, signal }: DrawOptions): Promise<void> {
  const painters = availableParallelism();
  await runChild<DrawRequest, DrawEvent, undefined>({
    name: 'that draws faces',
    entry: new URL('painter.js', import.meta.url),
    request: { folder: resolve(folder), count, seed, painters: 2 * painters },
    environment: { UV_THREADPOOL_SIZE: `${painters}` },
    signal,
    onEvent: ({ done, total }) => onProgress?.(done, total),
  });
}
