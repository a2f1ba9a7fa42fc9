import { setImmediate as turn } from 'node:timers/promises';
import { Router, type Observer } from 'zeromq';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { isIPv6Address, requireAddress, requireKeys, type AddressOption } from './address.js';
import { Authenticator } from './authenticator.js';
import { coverageOf, type Coverage } from './checksum.js';
import { byteLength, encode, type Frames } from './codec.js';
import { Door } from './door/door.js';
import { SilenceWatch, type SilenceOptions } from './door/silence.js';
import { HandshakeCount } from './handshake-audit.js';
import { sharedBytes, type Message } from './message.js';
import { Outbox } from './outbox.js';
import { receive } from './receive.js';
import type { ListenerSecurity } from './security.js';
import type { Sequence } from './sequence.js';
import { SocketFile } from './socket-file.js';
import { DEFAULT_HEARTBEAT, HANDSHAKE_TIME, socketOptions, type Heartbeat } from './socket-options.js';
import type { TrafficObserver } from './traffic.js';

export interface Received {
  /** Names the connection it came from: an answer goes there. */
  readonly peer: string;
  /** Which message of its connection it is; 0 where it is none of ours. */
  readonly number: number;
  /** Undefined where it was none of ours, which is counted already. */
  readonly message: Message | undefined;
}

export interface ListenerOptions {
  readonly heartbeat?: Heartbeat;
  /** Required for an address beyond this machine; without keys, every host that reaches the port can connect. */
  readonly security?: ListenerSecurity | undefined;
  /** Most messages that wait for a peer. A peer with more is disconnected. */
  readonly sendHighWaterMark?: number;
  /** Option that set the address, for errors. */
  readonly option?: Exclude<AddressOption, '--coordinator'>;
  /** True if each hello is answered at once: then connections that say none are ended after the handshake's time. */
  readonly answersHello?: boolean;
  /** Connections at a time; more wait in the kernel's queue. */
  readonly places?: number;
  /** Handshake timeout in milliseconds. */
  readonly handshakeTime?: number;
}

/** Default limit of messages that wait for a peer, in memory: a chunk is 1 MiB. */
const DEFAULT_SEND_HIGH_WATER_MARK = 64;

/** Connections of workers and, for a while, of strangers. Each costs a descriptor and its heartbeats. */
const DEFAULT_PLACES = 512;

/** Limit of unread messages of a peer, which are in memory too; more wait at the sender. */
const RECEIVE_HIGH_WATER_MARK = 64;

/** Milliseconds to read messages that have arrived. */
const LAST_WORDS_TIME = 1_000;

/** The connection that a message should have gone to is no more, or as good as that. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone';

  constructor(
    readonly peer: string,
    reason = `no connection to peer ${peer}`,
  ) {
    super(reason);
  }
}

/**
 * The coordinator's end of every worker's connection: a ROUTER socket that speaks our messages. Every large array
 * goes out in answer to a request, or once a phase, so little waits in it for a peer that reads.
 */
export class Listener {
  readonly #outbox = new Outbox();
  readonly #monitor: Observer;
  readonly #handshakes = new HandshakeCount();
  readonly #audit: NodeJS.Timeout;
  #file: { readonly file: SocketFile; readonly address: string } | undefined;
  #door: Door | undefined;
  #silence: SilenceWatch | undefined;
  /** Messages so far. */
  #read = 0;

  private constructor(
    private readonly socket: Router,
    private readonly traffic: TrafficObserver,
    private readonly authenticator: Authenticator | undefined,
    private readonly coverage: Coverage,
    handshakeTime: number,
  ) {
    this.#monitor = socket.events;
    void this.#watch();
    this.#audit = setInterval(() => {
      this.#reject(this.#handshakes.overlooked());
    }, 2 * handshakeTime);
  }

  /** Listens at a ZeroMQ address, such as tcp://127.0.0.1:* for any free port. Rejects with a UserError. */
  static async bind(
    address: string,
    traffic: TrafficObserver,
    options: ListenerOptions = {},
  ): Promise<Listener> {
    const { heartbeat = DEFAULT_HEARTBEAT, handshakeTime = HANDSHAKE_TIME, security } = options;
    const { option = '--listen', places = DEFAULT_PLACES } = options;
    requireAddress(address, option);
    requireKeys(address, security, option);
    const authenticator = security && (await Authenticator.start(security.admitted));
    const socket = new Router({
      mandatory: true,
      ipv6: isIPv6Address(address),
      ...socketOptions(heartbeat, handshakeTime),
      ...(security && { curveServer: true, curveSecretKey: security.secretKey }),
      ...authenticator?.socketOptions,
      receiveHighWaterMark: RECEIVE_HIGH_WATER_MARK,
      sendHighWaterMark: options.sendHighWaterMark ?? DEFAULT_SEND_HIGH_WATER_MARK,
      // Without it, a message to a peer that was the last one waits for ever: a mandatory ROUTER that has no peer
      // at all counts as busy, not as unable to route.
      sendTimeout: 0,
    });
    const listener = new Listener(
      socket,
      traffic,
      authenticator,
      coverageOf(address, security !== undefined),
      handshakeTime,
    );
    try {
      const file = SocketFile.of(address);
      await socket.bind(file?.bindAddress ?? address);
      await file?.publish();
      listener.#file = file && { file, address };
      listener.#door = await Door.of(socket.lastEndpoint ?? address, places);
      if (options.answersHello === true)
        listener.#silence = listener.#watchSilence({
          ...{ time: handshakeTime, heartbeat: heartbeat.interval, encrypted: security !== undefined },
        });
    } catch (error) {
      await listener.close();
      throw cannotListen(address, option, error);
    }
    return listener;
  }

  /** Address for workers, with the actual port. */
  get address(): string {
    return this.#file?.address ?? this.socket.lastEndpoint ?? '';
  }

  /** Messages as they come in, until the listener is closed. What is not one of ours is counted, and shows its sender. */
  async *messages(): AsyncGenerator<Received> {
    for await (const [identity, ...frames] of this.socket) {
      const { number = 0, message } = receive(frames, this.traffic, undefined, this.coverage) ?? {};
      this.#read++;
      if (message?.kind === 'hello') this.#silence?.heard(message.body.pid);
      yield { peer: identity.toString('hex'), number, message };
    }
  }

  /**
   * Resolves when a turn of the event loop brought no message, or after a timeout: the last messages of a closed
   * connection are read then. ZeroMQ refuses to send to a closed connection before it has delivered what that peer
   * sent.
   */
  async lastWords(): Promise<void> {
    const end = performance.now() + LAST_WORDS_TIME;
    let before;
    do {
      before = this.#read;
      // The first ends the turn that is under way.
      await turn();
      await turn();
    } while (this.#read !== before && performance.now() < end);
  }

  /** A message as all of this listener's connections have it. */
  encode(message: Message): Frames {
    return encode(message, this.coverage);
  }

  /** `sequence` is that of the peer's connection. Rejects with PeerGone. */
  send(peer: string, sequence: Sequence, message: Message): Promise<void> {
    return this.sendEncoded(peer, sequence, this.encode(message), sharedBytes(message));
  }

  /**
   * Sends a message that was encoded once for many peers. Rejects with PeerGone. A chunk's payload is read later,
   * without a copy, and must not change. `placed`: see `sharedBytes`.
   */
  sendEncoded(peer: string, sequence: Sequence, encoded: Frames, placed = 0): Promise<void> {
    const frames = sequence.number(encoded);
    return this.#outbox.add(async () => {
      try {
        await this.socket.send([Buffer.from(peer, 'hex'), ...frames]);
      } catch (error) {
        if (codeOf(error) === 'EHOSTUNREACH') throw new PeerGone(peer);
        if (codeOf(error) === 'EAGAIN') throw new PeerGone(peer, `peer ${peer} takes nothing any more`);
        throw error;
      }
      this.traffic.sent(byteLength(frames) + placed);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#audit);
    this.#silence?.close();
    this.#door?.close();
    this.#file?.file.remove();
    await this.#outbox.drained();
    this.socket.close();
    this.authenticator?.close();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#monitor) {
      if (type === 'accept') {
        this.#door?.entered();
        this.#handshakes.begun();
      } else if (type === 'accept:error') this.#door?.failed();
      else if (type === 'disconnect') this.#door?.left();
      else if (type === 'handshake') this.#handshakes.ended();
      else if (type.startsWith('handshake:error')) {
        this.#handshakes.ended();
        this.#reject(1);
      }
    }
  }

  #watchSilence(options: Omit<SilenceOptions, 'onHungUp'>): SilenceWatch | undefined {
    const onHungUp = (): void => {
      this.traffic.rejected('handshake', 'a connection that said nothing');
    };
    return this.#door && new SilenceWatch(this.#door, { ...options, onHungUp });
  }

  #reject(connections: number): void {
    for (let i = 0; i < connections; i++)
      this.traffic.rejected('handshake', "a connection that is not ZeroMQ's, or has no admitted key");
  }
}

function cannotListen(address: string, option: string, error: unknown): UserError {
  const causes: Readonly<Partial<Record<string, string>>> = {
    EADDRINUSE: 'it is taken',
    EACCES: 'it needs privileges',
    EADDRNOTAVAIL: 'it is not an address of this machine',
    ENODEV: 'it is not an address of this machine',
    // What ZeroMQ says of a host that is not known.
    EAGAIN: 'it is not an address of this machine, such as tcp://127.0.0.1:5555',
    EINVAL: 'it is not an address of this machine, such as tcp://127.0.0.1:5555',
    EAFNOSUPPORT: 'this machine has no IPv6',
    ENOENT: 'its folder does not exist',
    ENOTDIR: 'its folder is not a folder',
    ENAMETOOLONG: 'its path is too long for a socket',
  };
  const cause = causes[codeOf(error) ?? ''] ?? messageOf(error);
  return new UserError(`cannot listen for workers at ${address}: ${cause}; give another with ${option}`, {
    cause: error,
  });
}
