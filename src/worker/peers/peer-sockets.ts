import { curveKeyPair } from 'zeromq';
import { isLoopback } from '../../common/loopback.js';
import { newSecret, Secret } from '../../common/secret.js';
import { formatTcp } from '../../wire/address.js';
import { Link } from '../../wire/link.js';
import { Listener, type Received } from '../../wire/listener.js';
import type { KeyPair } from '../../wire/security.js';
import { SocketFolder } from '../../wire/socket-folder.js';
import type { Heartbeat } from '../../wire/socket-options.js';
import type { TrafficObserver } from '../../wire/traffic.js';
import { addressTowards } from './peer-addresses.js';

export interface PeerSocketsOptions {
  /** Address of the coordinator: other workers reach this machine over the same interface. */
  readonly coordinator: string;
  /** True if the run is encrypted. Connections between workers then use keys that the coordinator distributes. */
  readonly encrypted: boolean;
  /** To listen at for workers of other machines; 0: any free one. */
  readonly port: number;
  /** The folder for an ipc socket; undefined: there is none. */
  readonly folder: string | undefined;
  readonly heartbeat: Heartbeat;
  readonly onMessage: (received: Received) => void;
}

/** refused: the other end does not admit this one, or not yet. */
export type PeerEvent = 'connected' | 'disconnected' | 'refused';

/**
 * Sockets for other workers: one for workers of this machine and one for all others. A connection carries data in one
 * direction, from the worker that opened it.
 */
export class PeerSockets {
  /** Token that a connecting worker receives from the coordinator. */
  readonly token = newSecret();
  readonly #secret = new Secret(this.token);

  private constructor(
    private readonly options: PeerSocketsOptions,
    private readonly keys: KeyPair | undefined,
    private readonly admitted: Set<string>,
    private readonly listeners: readonly Listener[],
    private readonly traffic: { sent: number },
  ) {
    for (const listener of listeners) void this.#read(listener);
  }

  static async open(options: PeerSocketsOptions): Promise<PeerSockets> {
    const { encrypted, heartbeat } = options;
    const keys = encrypted ? curveKeyPair() : undefined;
    const admitted = new Set<string>();
    const traffic = { sent: 0 };
    const security = keys && { secretKey: keys.secretKey, admitted };
    const listeners: Listener[] = [];
    try {
      for (const [address, isPrivate] of await listenAddresses(options))
        listeners.push(
          await Listener.bind(address, IGNORED, {
            ...{ heartbeat, security: isPrivate ? undefined : security, option: '--peer-port' },
          }),
        );
    } catch (error) {
      for (const listener of listeners) await listener.close();
      throw error;
    }
    return new PeerSockets(options, keys, admitted, listeners, traffic);
  }

  /** Addresses for other workers, nearest first. */
  get addresses(): string[] {
    return this.listeners.map(({ address }) => address);
  }

  /** Empty where nothing is encrypted. */
  get key(): string {
    return this.keys?.publicKey ?? '';
  }

  /** Bytes so far. */
  get sentBytes(): number {
    return this.traffic.sent;
  }

  /** Compares in constant time. */
  isToken(text: string): boolean {
    return this.#secret.matches(text);
  }

  /** Admits only connections with one of these keys. */
  admit(keys: readonly string[]): void {
    this.admitted.clear();
    for (const key of keys) this.admitted.add(key);
  }

  /** Begins to connect to another worker. */
  connect(address: string, key: string, onEvent: (event: PeerEvent) => void): Link {
    const security =
      key !== '' && this.keys && !isPrivate(address) ? { ...this.keys, serverKey: key } : undefined;
    const observer: TrafficObserver = {
      ...IGNORED,
      sent: (bytes) => {
        this.traffic.sent += bytes;
      },
    };
    const onRefused = (): void => {
      onEvent('refused');
    };
    return Link.connect(address, observer, onEvent, {
      heartbeat: this.options.heartbeat,
      security,
      onRefused,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }

  async #read(listener: Listener): Promise<void> {
    for await (const received of listener.messages()) this.options.onMessage(received);
  }
}

const nothing = (): void => undefined;
const IGNORED: TrafficObserver = { sent: nothing, received: nothing, rejected: nothing };

/** Only this machine's processes reach it. */
function isPrivate(address: string): boolean {
  return address.startsWith('ipc:');
}

/** Address to listen on, and whether only processes of this machine can reach it. */
async function listenAddresses({
  coordinator,
  port,
  encrypted,
  folder,
}: PeerSocketsOptions): Promise<[string, boolean][]> {
  const addresses: [string, boolean][] = [];
  if (folder !== undefined) addresses.push([SocketFolder.addressIn(folder), true]);
  const host = await addressTowards(coordinator);
  // Without keys, everybody is on this machine.
  if (host !== undefined && (encrypted || (isLoopback(host) && addresses.length === 0)))
    addresses.push([formatTcp(host, port === 0 ? '*' : port), false]);
  return addresses;
}
