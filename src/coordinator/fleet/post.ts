import { encode, type Frames } from '../../wire/codec.js';
import { Listener, PeerGone, type ListenerOptions, type Received } from '../../wire/listener.js';
import type { Bodies, BodyKind, Header, Message } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import type { TrafficObserver } from '../../wire/traffic.js';
import type { RunMetrics } from '../metrics/run-metrics.js';
import type { Member, Roster } from './roster.js';

/** How often it is looked whether every worker's connection still stands, in milliseconds. */
const LIVENESS_INTERVAL = 1_000;

export interface PostOptions extends Pick<ListenerOptions, 'security' | 'sendHighWaterMark'> {
  /** Where to listen, as ZeroMQ names it. */
  readonly address: string;
  readonly run: string;
  readonly generation: number;
  readonly roster: Roster;
  readonly metrics: RunMetrics;
  /** A worker whose connection is no more. */
  readonly onGone: (member: Member) => void;
}

/** Letters between the coordinator and the members of a run: marks each with the run, counts bytes, misses the gone. */
export class Post {
  readonly #traffic: { sent: number; received: number };
  readonly #liveness: NodeJS.Timeout;

  private constructor(
    private readonly options: PostOptions,
    private readonly listener: Listener,
    traffic: { sent: number; received: number },
  ) {
    this.#traffic = traffic;
    // ZeroMQ's heartbeats end a dead connection; that nothing can be sent to it any more shows whose it was.
    this.#liveness = setInterval(() => {
      void this.toAll('ping', {});
    }, LIVENESS_INTERVAL);
  }

  static async open(options: PostOptions): Promise<Post> {
    const { address, metrics } = options;
    const traffic = { sent: 0, received: 0 };
    const observer: TrafficObserver = {
      sent: (bytes) => {
        traffic.sent += bytes;
        metrics.countWireBytes('sent', bytes);
      },
      received: (bytes) => {
        traffic.received += bytes;
        metrics.countWireBytes('received', bytes);
      },
      rejected: (reason) => {
        metrics.countRejected(reason);
      },
    };
    const listener = await Listener.bind(address, observer, options);
    return new Post(options, listener, traffic);
  }

  /** With the port that was taken. */
  get address(): string {
    return this.listener.address;
  }

  /** Bytes so far. */
  get traffic(): { readonly sent: number; readonly received: number } {
    return { ...this.#traffic };
  }

  messages(): AsyncGenerator<Received> {
    return this.listener.messages();
  }

  /** Who sent a message of this run. Throws a Rejection for anybody else's, and for messages of another run. */
  senderOf({ peer, message }: Received): Member {
    const member = this.options.roster.ofPeer(peer);
    if (!member) throw new Rejection('unknown_sender', 'a message from nobody of this run');
    if (message.run !== this.options.run) throw new Rejection('wrong_run', `a message of run ${message.run}`);
    if (message.generation !== this.options.generation)
      throw new Rejection('wrong_generation', `a message of generation ${message.generation}`);
    return member;
  }

  async send<Kind extends BodyKind>(
    member: Member,
    kind: Kind,
    body: Bodies[Kind],
    at: Partial<Header> = {},
  ): Promise<void> {
    await this.#deliver(member, encode(this.#message(kind, body, at)));
  }

  /** The same bytes to every member, encoded once. */
  async toAll<Kind extends BodyKind>(
    kind: Kind,
    body: Bodies[Kind],
    at: Partial<Header> = {},
  ): Promise<void> {
    const frames = encode(this.#message(kind, body, at));
    await Promise.all(this.options.roster.all().map((member) => this.#deliver(member, frames)));
  }

  /** Tells somebody who is not a member why he cannot be one. If he is gone, nobody needs to know. */
  async refuse(peer: string, reason: string): Promise<void> {
    await this.listener.send(peer, this.#message('refusal', { reason })).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#liveness);
    await this.listener.close();
  }

  #message<Kind extends BodyKind>(kind: Kind, body: Bodies[Kind], at: Partial<Header> = {}): Message {
    const { run, generation } = this.options;
    return { run, generation, step: 0, phase: undefined, ...at, kind, body } as Message;
  }

  /** A connection that is no more is a lost worker, not an error of the sender. */
  async #deliver(member: Member, frames: Frames): Promise<void> {
    try {
      await this.listener.sendEncoded(member.peer, frames);
    } catch (error) {
      if (!(error instanceof PeerGone)) throw error;
      // He may have been told before, and have left.
      if (this.options.roster.ofPeer(member.peer)) this.options.onGone(member);
    }
  }
}
