import type { WorkerLossReason } from '../metrics/labels.js';

/** A worker that the run cannot go on without is gone. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';

  constructor(
    readonly worker: number,
    readonly reason: WorkerLossReason,
    /** To follow the worker's name: "was killed by SIGKILL". */
    whatHappened: string,
  ) {
    super(`worker ${worker} ${whatHappened}`);
  }
}
