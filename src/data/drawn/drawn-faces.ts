import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { removeAbandoned } from '../../common/files/leftovers.js';
import { runChild } from '../child-job.js';
import type { DrawRequest } from './draw-images.js';
import type { DrawEvent } from './draw-process.js';

export interface DrawOptions {
  /** Becomes an image folder. Faces that an interrupted run left out are added. */
  readonly folder: string;
  readonly count: number;
  readonly seed: number;
  /** The folder is a part of the cache: anything in it that is not as drawn is removed or drawn again. */
  readonly isOwn?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  /** Called once if faces have to be drawn; `damaged`: all were there before, and some have changed. */
  readonly onBegin?: (faces: number, damaged: boolean) => void;
  readonly signal?: AbortSignal;
}

/** Faces that a run trains on if it is given no images. */
export const DEFAULT_FACES = { count: 4000, seed: 0 } as const;

/** The folder of these faces in the cache. */
export function defaultFaces(cache: string): string {
  return join(cache, 'drawn-faces');
}

/** Draws cartoon faces (facesjs) into an image folder: the same pictures for the same seed. */
export async function drawFaces(options: DrawOptions): Promise<void> {
  const { count, seed, isOwn = false, onProgress, onBegin, signal } = options;
  const folder = resolve(options.folder);
  const painters = availableParallelism();
  try {
    await runChild<DrawRequest, DrawEvent, undefined>({
      name: 'that draws faces',
      entry: new URL('draw-process.js', import.meta.url),
      request: { folder, count, seed, isOwn, painters: 2 * painters },
      environment: { UV_THREADPOOL_SIZE: `${painters}` },
      signal,
      onEvent: (event) => {
        if (event.kind === 'progress') onProgress?.(event.done, event.total);
        else onBegin?.(event.faces, event.damaged);
      },
    });
  } finally {
    removeAbandoned(folder); // A child that was killed could not.
  }
}
