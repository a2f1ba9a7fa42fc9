/** Values that labels are known to take: their series exist, at 0, before the first event. */

/** Joining: its handshake or state is under way. Ready: hosts shards. Lost: gone without being asked to. */
export const WORKER_STATES = ['joining', 'ready', 'lost'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** Exited: its process ended. Silent: no heartbeat. Overdue: a step took too long. */
export const WORKER_LOSS_REASONS = ['exited', 'silent', 'overdue'] as const;
export type WorkerLossReason = (typeof WORKER_LOSS_REASONS)[number];

export const WIRE_DIRECTIONS = ['sent', 'received'] as const;
export type WireDirection = (typeof WIRE_DIRECTIONS)[number];

export const NETWORKS = ['generator', 'discriminator'] as const;
export type Network = (typeof NETWORKS)[number];
