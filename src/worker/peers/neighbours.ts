import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAwake, awakeTime } from '../../common/process/awake.js';
import { Deferred } from '../../common/deferred.js';
import type { Link } from '../../wire/link.js';
import type { Bodies, Header } from '../../wire/message.js';
import { chunkFor } from '../../wire/segments/shared-chunk.js';
import type { Segments } from '../../wire/segments/segments.js';
import { Unreachable } from './unreachable.js';
import type { PeerEvent, PeerSockets } from './peer-sockets.js';

/** Milliseconds to connect to another worker. */
const CONNECT_TIMEOUT = 5_000;

/** Before another attempt where the other end does not admit this one yet, in milliseconds. */
const REFUSED_PAUSE = 100;

export interface Neighbour {
  readonly worker: number;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly key: string;
  readonly token: string;
  /** Memory that it shares; empty where it shares none. */
  readonly segment: string;
}

export interface NeighboursOptions {
  readonly sockets: PeerSockets;
  /** Memory that others of this machine share with this process. */
  readonly segments: Segments | undefined;
  /** Generation to which these neighbours belong. */
  readonly header: Header;
  readonly self: number;
  /** A connection that broke may come back, but what it should have brought does not. */
  readonly onLost: (worker: number) => void;
}

/** The connections of one generation to the workers that this one sends to. */
export class Neighbours {
  readonly #links = new Map<number, Link>();
  readonly #segments = new Map<number, string>();
  #closed = false;

  constructor(private readonly options: NeighboursOptions) {}

  /** Rejects with Unreachable. */
  async connect(neighbours: readonly Neighbour[]): Promise<void> {
    for (const { worker, segment } of neighbours) this.#segments.set(worker, segment);
    this.options.sockets.admit(neighbours.map(({ key }) => key));
    await Promise.all(neighbours.map((neighbour) => this.#connect(neighbour)));
  }

  /** Sends a chunk. Its payload is read later, without a copy, and must not change until it has arrived. */
  async send(worker: number, body: Bodies['chunk'], at: Partial<Header>): Promise<void> {
    const link = this.#links.get(worker);
    if (!link) throw new Error(`worker ${worker} is no neighbour`);
    const { segments, header } = this.options;
    await link.send(chunkFor(segments, this.segmentOf(worker), { ...header, ...at }, body));
  }

  segmentOf(worker: number): string {
    return this.#segments.get(worker) ?? '';
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) void link.close();
  }

  async #connect(neighbour: Neighbour): Promise<void> {
    const { worker, host, addresses, token } = neighbour;
    const isHere = host === hostname();
    // Another container may say that it has this machine's name: where it cannot be reached so, it is tried over tcp.
    for (const address of addresses)
      if (address.startsWith('tcp:') || isHere) {
        const link = await this.#reach(address, neighbour);
        if (!link) continue;
        this.#links.set(worker, link);
        const { header, self } = this.options;
        await link.send({ ...header, kind: 'greeting', body: { worker: self, token } });
        return;
      }
    throw new Unreachable(worker, `no connection to it at ${addresses.join(', ') || 'any address'}`);
  }

  /** The other end admits this one as soon as it has heard of the generation too. */
  async #reach(address: string, neighbour: Neighbour): Promise<Link | undefined> {
    const deadline = awakeTime() + CONNECT_TIMEOUT;
    while (!this.#closed && awakeTime() < deadline) {
      const answer = await this.#connectOnce(address, neighbour, deadline - awakeTime());
      if (answer !== 'refused') return answer;
      await pause(REFUSED_PAUSE);
    }
    return undefined;
  }

  async #connectOnce(
    address: string,
    { worker, key }: Neighbour,
    milliseconds: number,
  ): Promise<Link | 'refused' | undefined> {
    const first = new Deferred<PeerEvent | 'late'>();
    const { sockets, onLost } = this.options;
    const link = sockets.connect(address, key, (event) => {
      if (event !== 'disconnected') first.resolve(event);
      else if (!this.#closed && this.#links.get(worker) === link) onLost(worker);
    });
    const cancel = afterAwake(milliseconds, () => {
      first.resolve('late');
    });
    const event = await first.promise;
    cancel();
    if (event === 'connected' && !this.#closed) return link;
    await link.close();
    return event === 'refused' ? 'refused' : undefined;
  }
}
