import type { WorkerLossReason } from '../../monitoring/metrics/labels.js';

/** A worker that something waits for is gone: it has to be done again with those that are left. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';

  constructor(
    readonly worker: number,
    readonly reason: WorkerLossReason,
    /** With the worker's name: "worker 1 (pid 4711 on host) was killed by SIGKILL". */
    message: string,
  ) {
    super(message);
  }
}
