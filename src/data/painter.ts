import { serveParent } from './child-job.js';
import { drawImages, type DrawRequest } from './draw-images.js';

/** The child process of drawFaces(). */

export interface DrawEvent {
  readonly done: number;
  readonly total: number;
}

serveParent<DrawRequest>(async (request, emit) => {
  await drawImages(request, (done, total) => {
    emit({ done, total } satisfies DrawEvent);
  });
  return undefined;
});
