import { connect, type Socket } from 'node:net';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { randomStream } from '../../../src/common/random.js';
import { DelayedPipe } from './delayed-pipe.js';
import { flipBit } from './flip-bit.js';
import { shareSecret } from './share-secret.js';
import { TcpServer } from './tcp-server.js';

/** A connection from a worker and the one to the coordinator that it goes on in. */
interface Relay {
  readonly sockets: readonly Socket[];
  readonly pipes: readonly DelayedPipe[];
}

/**
 * A network between workers and a coordinator, below ZeroMQ: passes bytes on both ways, later, with wrong bits, or
 * not at all.
 */
export class TcpProxy {
  /** Milliseconds each way. */
  latency = 0;
  /** How likely one bit of what comes in at a time is another: 0 to 1. */
  corruption = 0;
  /** How often that was done. */
  corrupted = 0;
  /** How many connections came so far. */
  connections = 0;
  readonly #stream;
  readonly #relays = new Set<Relay>();
  #stalled = false;

  private constructor(
    private readonly server: TcpServer,
    private readonly unshare: () => void,
    seed: number,
  ) {
    this.#stream = randomStream(seed, 'damaged bytes');
  }

  /** Listens on a free port of the loopback; `upstream` is an address such as tcp://127.0.0.1:5555. */
  static async open(upstream: string, seed = 0): Promise<TcpProxy> {
    const server = await TcpServer.open();
    const unshare = shareSecret(upstream, server.address);
    const proxy = new TcpProxy(server, unshare, seed);
    const { hostname, port } = new URL(upstream);
    server.onConnection((socket) => {
      proxy.#relay(
        socket,
        connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true }),
      );
    });
    return proxy;
  }

  /** As ZeroMQ names it. */
  get address(): string {
    return this.server.address;
  }

  /** Passes nothing on any more, while every connection stays as it is: a cable that was pulled. */
  stall(): void {
    this.#stalled = true;
    for (const pipe of this.#pipes()) pipe.stall();
  }

  resume(): void {
    this.#stalled = false;
    for (const pipe of this.#pipes()) pipe.resume();
  }

  /** Breaks every connection that stands. New ones are welcome. */
  cut(): void {
    for (const { sockets } of this.#relays) for (const socket of sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await this.server.close();
    this.unshare();
  }

  #pipes(): DelayedPipe[] {
    return [...this.#relays].flatMap(({ pipes }) => pipes);
  }

  #relay(socket: Socket, upstream: Socket): void {
    this.connections++;
    const change = (bytes: Uint8Array): Uint8Array => this.#damaged(bytes);
    const latency = (): number => this.latency;
    const pipes = [
      new DelayedPipe(socket, upstream, change, latency),
      new DelayedPipe(upstream, socket, change, latency),
    ];
    if (this.#stalled) for (const pipe of pipes) pipe.stall();
    const sockets = [socket, upstream];
    const relay = { sockets, pipes };
    this.#relays.add(relay);
    for (const each of sockets)
      each
        .on('error', () => undefined)
        .on('close', () => {
          if (sockets.every(({ destroyed }) => destroyed)) this.#relays.delete(relay);
        });
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    if (uniformFloat64(this.#stream) >= this.corruption) return bytes;
    this.corrupted++;
    return flipBit(bytes, this.#stream);
  }
}
