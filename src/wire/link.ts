import { setTimeout as pause } from 'node:timers/promises';
import { Dealer, type Event, type Observer } from 'zeromq';
import { codeOf, messageOf, UserError } from '../common/errors.js';
import { isIPv6Address, requireAddress, requireKeys } from './address.js';
import { coverageOf, type Coverage } from './checksum.js';
import { byteLength, encode } from './codec.js';
import { sharedBytes, type Message } from './message.js';
import { Outbox } from './outbox.js';
import { receive } from './receive.js';
import type { LinkSecurity } from './security.js';
import { Sequence } from './sequence.js';
import { DEFAULT_HEARTBEAT, LINGER, socketOptions, type Heartbeat } from './socket-options.js';
import type { TrafficObserver } from './traffic.js';

/** Chunks that may wait for the network before the next send waits too. */
const SEND_HIGH_WATER_MARK = 64;

export interface LinkOptions {
  readonly heartbeat?: Heartbeat;
  /** Needed at an address beyond this machine. */
  readonly security?: LinkSecurity | undefined;
  /** True if the host is reached by IPv6; by default, only if it is an IPv6 address. */
  readonly ipv6?: boolean;
  /** Called if the listener will never admit this link, with the reason and a remedy. */
  readonly onRefused?: (reason: UserError) => void;
}

/** A worker's connection to its coordinator: a DEALER socket that speaks our messages. */
export class Link {
  readonly #outbox = new Outbox();
  readonly #sequence = new Sequence();
  readonly #monitor: Observer;

  private constructor(
    private readonly socket: Dealer,
    private readonly traffic: TrafficObserver,
    private readonly coverage: Coverage,
  ) {
    this.#monitor = socket.events;
  }

  /**
   * Starts to connect and retries. `onEvent` and the messages show whether it succeeds. Throws a UserError for an
   * invalid address.
   */
  static connect(
    address: string,
    traffic: TrafficObserver,
    onEvent: (event: 'connected' | 'disconnected') => void,
    options: LinkOptions = {},
  ): Link {
    const { heartbeat = DEFAULT_HEARTBEAT, security, onRefused } = options;
    requireAddress(address, '--coordinator');
    requireKeys(address, security, '--coordinator');
    const socket = new Dealer({
      ipv6: options.ipv6 ?? isIPv6Address(address),
      ...socketOptions(heartbeat),
      ...(security && {
        curveServerKey: security.serverKey,
        curvePublicKey: security.publicKey,
        curveSecretKey: security.secretKey,
      }),
      sendHighWaterMark: SEND_HIGH_WATER_MARK,
    });
    const link = new Link(socket, traffic, coverageOf(address, security !== undefined));
    void link.#watch((event) => {
      if (event.type === 'handshake') onEvent('connected');
      if (event.type === 'disconnect') onEvent('disconnected');
      const refusal = refusalIn(event);
      if (refusal !== undefined) onRefused?.(new UserError(`${address} refused this worker: ${refusal}`));
    });
    try {
      socket.connect(address);
    } catch (error) {
      void link.close();
      throw cannotConnect(address, error);
    }
    return link;
  }

  async *messages(): AsyncGenerator<Message> {
    for await (const frames of this.socket) {
      const received = receive(frames, this.traffic, this.#sequence, this.coverage);
      if (received) yield received.message;
    }
  }

  /** Sends a message. A chunk's payload is read later, without a copy, and must not change. */
  send(message: Message): Promise<void> {
    const frames = this.#sequence.number(encode(message, this.coverage));
    return this.#outbox.add(async () => {
      await this.socket.send([...frames]);
      this.traffic.sent(byteLength(frames) + sharedBytes(message));
    });
  }

  /** Waits for what is still being sent, but not for a coordinator that takes nothing any more. */
  async close(): Promise<void> {
    const patience = new AbortController();
    const { signal } = patience;
    await Promise.race([this.#outbox.drained(), pause(LINGER, undefined, { signal }).catch(() => undefined)]);
    patience.abort();
    this.socket.close();
  }

  async #watch(onEvent: (event: Event) => void): Promise<void> {
    for await (const event of this.#monitor) onEvent(event);
  }
}

/** Returns the error that no retry would fix; undefined for all other events. */
function refusalIn(event: Event): string | undefined {
  if (event.type === 'handshake:error:auth')
    return "its key is not admitted there: put the worker's public key into the coordinator's --keys folder";
  if (event.type === 'handshake:error:protocol' && event.error.code === 'ERR_ZMTP_MECHANISM_MISMATCH')
    return 'one of the two uses keys and the other does not: give --keys to both, or to neither';
  return undefined;
}

function cannotConnect(address: string, error: unknown): UserError {
  const cause = codeOf(error) === 'EINVAL' ? 'not an address' : messageOf(error);
  return new UserError(`cannot connect to ${address}: ${cause}; give --coordinator tcp://HOST:PORT`, {
    cause: error,
  });
}
