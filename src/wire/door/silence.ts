import { readFileSync } from 'node:fs';
import type { Door } from './door.js';

export interface SilenceOptions {
  /** Milliseconds that a connection has for ZeroMQ's handshake, and again to say hello. */
  readonly time: number;
  /** Milliseconds from one of ZeroMQ's heartbeats to the next. */
  readonly heartbeat: number;
  readonly encrypted: boolean;
  /** Called for each connection that was ended. */
  readonly onHungUp: () => void;
}

/** Looks at the connections so often in their time. */
const LOOKS = 4;

/** Upper bounds for what ZeroMQ sends by itself, in bytes: a whole handshake, and one PING or PONG. */
const PLAIN = { handshake: 128, heartbeat: 12 } as const;
const CURVE = { handshake: 340, heartbeat: 50 } as const;

/** Processes whose hello is remembered from one look to the next. */
const MAX_HEARD = 1_024;

interface Connection {
  /** Milliseconds for which it has been there while this process was awake. */
  age: number;
  hasSpoken: boolean;
}

/**
 * Ends connections that finish ZeroMQ's handshake and then send nothing. ZeroMQ does not identify a connection before
 * its first message and cannot close a single one, so this class observes the sockets: each hello is answered at
 * once, so a TCP connection that was sent only handshake and heartbeats has not sent one; over ipc the peer's process
 * is known.
 */
export class SilenceWatch {
  readonly #timer: NodeJS.Timeout;
  readonly #heard = new Set<number>();
  #connections = new Map<bigint, Connection>();
  #lastLook = performance.now();

  constructor(
    private readonly door: Door,
    private readonly options: SilenceOptions,
  ) {
    this.#timer = setInterval(() => {
      this.#look();
    }, options.time / LOOKS);
    this.#timer.unref();
  }

  /** To be called for each hello, with the process that it names. */
  heard(pid: number): void {
    if (this.#heard.size < MAX_HEARD) this.#heard.add(pid);
  }

  /** Must be called before the socket is closed. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { time, onHungUp } = this.options;
    const now = performance.now();
    // While this process was stopped or busy, it could not read what was said.
    const awake = Math.min(now - this.#lastLook, (2 * time) / LOOKS);
    this.#lastLook = now;
    const { calls } = this.door;
    const before = this.#connections;
    this.#connections = new Map();
    for (const file of this.door.connections()) {
      const cookie = calls.cookie(file);
      const { age, hasSpoken } = before.get(cookie) ?? { age: 0, hasSpoken: false };
      const connection = { age: age + awake, hasSpoken: hasSpoken || this.#hasSpoken(file, age + awake) };
      this.#connections.set(cookie, connection);
      // Twice the time: until then ZeroMQ ends those that are still in its handshake, and says so.
      if (connection.hasSpoken || connection.age < 2 * time) continue;
      calls.hangUp(file);
      this.#connections.delete(cookie);
      onHungUp();
    }
    this.#heard.clear();
  }

  /** True also if it cannot be known. */
  #hasSpoken(file: number, age: number): boolean {
    const { encrypted, heartbeat } = this.options;
    const { calls } = this.door;
    const peer = calls.peerProcess(file);
    if (peer !== undefined && peer > 0) return numbersOf(peer)?.some((pid) => this.#heard.has(pid)) ?? true;
    const sent = calls.sentBytes(file);
    // ZeroMQ sends its greeting at once: a kernel that says 0 does not count.
    if (sent === undefined || sent === 0) return true;
    const size = encrypted ? CURVE : PLAIN;
    return sent > size.handshake + 2 * (age / heartbeat + 2) * size.heartbeat;
  }
}

/** The numbers of a process, in this process's namespace and in those below it. */
function numbersOf(pid: number): number[] | undefined {
  try {
    const numbers = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return numbers?.trim().split(/\s+/).map(Number);
  } catch {
    return undefined;
  }
}
