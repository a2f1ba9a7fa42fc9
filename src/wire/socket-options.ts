import { MAX_FRAME_BYTES } from './codec.js';

/** ZeroMQ's own heartbeats, in milliseconds: its I/O threads send them, whatever the program computes. */
export interface Heartbeat {
  readonly interval: number;
  /** Silence for this long ends a connection. */
  readonly timeout: number;
}

export const DEFAULT_HEARTBEAT: Heartbeat = { interval: 1_000, timeout: 10_000 };

/** The heartbeat of connections whose silence is put up with for so many milliseconds. */
export function heartbeatFor(liveness: number): Heartbeat {
  return { interval: Math.ceil(liveness / 10), timeout: liveness };
}
/** Handshake timeout, including keys, in milliseconds. */
export const HANDSHAKE_TIME = 3_000;

/** Milliseconds in which a closed socket may still send its queue. */
export const LINGER = 1_000;

/** Options of both ends of a connection. */
export function socketOptions({ interval, timeout }: Heartbeat, handshakeTime = HANDSHAKE_TIME) {
  return {
    linger: LINGER,
    maxMessageSize: MAX_FRAME_BYTES,
    heartbeatInterval: interval,
    heartbeatTimeout: timeout,
    heartbeatTimeToLive: timeout,
    handshakeInterval: handshakeTime,
  } as const;
}
