import { serveParent } from '../child-job.js';
import { drawImages, type DrawRequest } from './draw-images.js';

/** The child process of drawFaces(). */

export type DrawEvent =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'begins'; readonly faces: number; readonly damaged: boolean };

serveParent<DrawRequest>(async (request, emit) => {
  await drawImages(request, {
    progress(done, total) {
      emit({ kind: 'progress', done, total } satisfies DrawEvent);
    },
    begins(faces, damaged) {
      emit({ kind: 'begins', faces, damaged } satisfies DrawEvent);
    },
  });
  return undefined;
});
