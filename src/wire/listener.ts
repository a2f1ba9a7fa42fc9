import { Router, type Observer } from 'zeromq';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { byteLength, encode, type Frames } from './codec.js';
import type { Message } from './message.js';
import { Outbox } from './outbox.js';
import { receive } from './receive.js';
import { DEFAULT_HEARTBEAT, socketOptions, type Heartbeat } from './socket-options.js';
import type { TrafficObserver } from './traffic.js';

export interface Received {
  /** Names the connection it came from: an answer goes there. */
  readonly peer: string;
  readonly message: Message;
}

/** The connection that a message should have gone to is no more. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone';

  constructor(readonly peer: string) {
    super(`no connection to peer ${peer}`);
  }
}

/**
 * The coordinator's end of every worker's connection: a ROUTER socket that speaks our messages. Nothing piles up in
 * it: every large array goes out in answer to a request, or once a phase.
 */
export class Listener {
  readonly #outbox = new Outbox();
  readonly #monitor: Observer;

  private constructor(
    private readonly socket: Router,
    private readonly traffic: TrafficObserver,
  ) {
    this.#monitor = socket.events;
    void this.#watch();
  }

  /** Listens at a ZeroMQ address, such as tcp://127.0.0.1:* for any free port. */
  static async bind(
    address: string,
    traffic: TrafficObserver,
    heartbeat: Heartbeat = DEFAULT_HEARTBEAT,
  ): Promise<Listener> {
    const socket = new Router({
      mandatory: true,
      ...socketOptions(heartbeat),
      sendHighWaterMark: 0,
      // Without it, a message to a peer that was the last one waits for ever: a mandatory ROUTER that has no peer
      // at all counts as busy, not as unable to route.
      sendTimeout: 0,
    });
    const listener = new Listener(socket, traffic);
    try {
      await socket.bind(address);
    } catch (error) {
      await listener.close();
      throw cannotListen(address, error);
    }
    return listener;
  }

  /** Where workers connect to, with the port that was taken. */
  get address(): string {
    return this.socket.lastEndpoint ?? '';
  }

  /** Messages as they come in, until the listener is closed. What is not one of ours is counted and dropped. */
  async *messages(): AsyncGenerator<Received> {
    for await (const [identity, ...frames] of this.socket) {
      const message = receive(frames, this.traffic);
      if (message) yield { peer: identity.toString('hex'), message };
    }
  }

  send(peer: string, message: Message): Promise<void> {
    return this.sendEncoded(peer, encode(message));
  }

  /**
   * Sends a message that was encoded before, once for many peers. Rejects with PeerGone. A chunk's payload is read
   * later, without a copy: whoever sends it must leave it as it is.
   */
  sendEncoded(peer: string, frames: Frames): Promise<void> {
    return this.#outbox.add(async () => {
      try {
        await this.socket.send([Buffer.from(peer, 'hex'), ...frames]);
      } catch (error) {
        throw codeOf(error) === 'EHOSTUNREACH' ? new PeerGone(peer) : error;
      }
      this.traffic.sent(byteLength(frames));
    });
  }

  async close(): Promise<void> {
    await this.#outbox.drained();
    this.socket.close();
  }

  async #watch(): Promise<void> {
    for await (const event of this.#monitor) {
      if (event.type.startsWith('handshake:error'))
        this.traffic.rejected('handshake', "a connection that is not ZeroMQ's");
    }
  }
}

function cannotListen(address: string, error: unknown): UserError {
  const causes: Readonly<Partial<Record<string, string>>> = {
    EADDRINUSE: 'it is taken',
    EACCES: 'it needs privileges',
    EADDRNOTAVAIL: 'it is not an address of this machine',
    ENODEV: 'it is not an address of this machine',
    // What ZeroMQ says of a host that is not known and of a missing port.
    EAGAIN: 'it is not an address of this machine, such as tcp://127.0.0.1:5555',
    EINVAL: 'it is not an address such as tcp://127.0.0.1:5555',
    EPROTONOSUPPORT: 'it is not an address such as tcp://127.0.0.1:5555',
  };
  const cause = causes[codeOf(error) ?? ''] ?? messageOf(error);
  return new UserError(`cannot listen for workers at ${address}: ${cause}; give another with --listen`, {
    cause: error,
  });
}
