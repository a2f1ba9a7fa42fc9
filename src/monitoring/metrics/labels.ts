/** Values that labels are known to take: their series exist, at 0, before the first event. */

/** Joining: in the handshake. Ready: takes part. Lost: slots without a worker. */
export const WORKER_STATES = ['joining', 'ready', 'lost'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** Exited: its process ended. Silent: no heartbeat. Overdue: a step took too long. Garbled: it sent nonsense. */
export const WORKER_LOSS_REASONS = ['exited', 'silent', 'overdue', 'garbled'] as const;
export type WorkerLossReason = (typeof WORKER_LOSS_REASONS)[number];

export const WIRE_DIRECTIONS = ['sent', 'received', 'among_workers'] as const;
export type WireDirection = (typeof WIRE_DIRECTIONS)[number];

export const NETWORKS = ['generator', 'discriminator'] as const;
export type Network = (typeof NETWORKS)[number];

/** Phases of a step; `local`: a whole round of local steps. */
export const PHASES = [...NETWORKS, 'local'] as const;

/** Before and after the discriminator's update in a step. */
export const UPDATES = ['before', 'after'] as const;
