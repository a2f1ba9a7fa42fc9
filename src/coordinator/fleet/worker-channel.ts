import type { Frames } from '../../wire/codec.js';
import { Listener, PeerGone, type ListenerOptions, type Received } from '../../wire/listener.js';
import { isOfOneGeneration } from '../../wire/generation.js';
import { sharedBytes, type Bodies, type BodyKind, type Header, type Message } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import type { Place } from '../../wire/segments/own-segment.js';
import { sharedChunkAt } from '../../wire/segments/shared-chunk.js';
import type { OpenSegments, Segments } from '../../wire/segments/segments.js';
import { tellable } from '../../wire/text.js';
import type { TrafficObserver } from '../../wire/traffic.js';
import type { RunMetrics } from '../../monitoring/metrics/run-metrics.js';
import type { Member, Roster } from './members/roster.js';

export interface WorkerChannelOptions extends Pick<
  ListenerOptions,
  'heartbeat' | 'security' | 'sendHighWaterMark'
> {
  /** Address to listen on, in ZeroMQ's notation. */
  readonly address: string;
  readonly run: string;
  readonly roster: Roster;
  readonly metrics: RunMetrics;
  /** For memory that workers of this machine share with this process. */
  readonly openSegments: OpenSegments;
  /** Bytes of it that are sent at once. */
  readonly room: number;
  /** A worker whose connection is no more. */
  readonly onGone: (member: Member) => void;
}

/** Letters between the coordinator and the members of a run: marks each with the run, counts bytes, misses the gone. */
export class WorkerChannel {
  readonly #traffic: { sent: number; received: number };

  private constructor(
    private readonly options: WorkerChannelOptions,
    private readonly listener: Listener,
    /** Memory that workers of this machine share with this process. */
    readonly segments: Segments | undefined,
    traffic: { sent: number; received: number },
  ) {
    this.#traffic = traffic;
  }

  static async open(options: WorkerChannelOptions): Promise<WorkerChannel> {
    const { address, metrics, openSegments, room } = options;
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
    const listener = await Listener.bind(address, observer, { ...options, answersHello: true });
    return new WorkerChannel(options, listener, await openSegments(room), traffic);
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

  /** Resolves when what those that are gone have sent is read. */
  lastWords(): Promise<void> {
    return this.listener.lastWords();
  }

  /** Throws a Rejection for a message of another run, or of another generation where that matters. */
  requireOurs(message: Message, generation: number): void {
    if (message.run !== this.options.run) throw new Rejection('wrong_run', `a message of run ${message.run}`);
    if (isOfOneGeneration(message) && message.generation !== generation)
      throw new Rejection('wrong_generation', `a message of generation ${message.generation}`);
  }

  async send<Kind extends BodyKind>(
    member: Member,
    kind: Kind,
    body: Bodies[Kind],
    at: Partial<Header> = {},
  ): Promise<void> {
    await this.toAll([member], kind, body, at);
  }

  /** The same bytes to all of these, encoded once; they are in the same generation, unless that does not matter. */
  async toAll<Kind extends BodyKind>(
    members: readonly Member[],
    kind: Kind,
    body: Bodies[Kind],
    at: Partial<Header> = {},
  ): Promise<void> {
    if (members.length === 0) return;
    const message = this.#message(members[0].generation, kind, body, at);
    const frames = this.listener.encode(message);
    await Promise.all(members.map((member) => this.#deliver(member, frames, sharedBytes(message))));
  }

  /** A chunk of a round to all of these; those that read this process's segment find it there. */
  async share(members: readonly Member[], body: Bodies['chunk'], at: Partial<Header>): Promise<void> {
    const near: Member[] = [];
    const far: Member[] = [];
    let placed: Place | undefined;
    for (const member of members) {
      const place = this.segments?.placeFor(member.segment, body.payload);
      placed ??= place;
      (place ? near : far).push(member);
    }
    if (placed) await this.toAll(near, 'sharedChunk', sharedChunkAt(body, placed), at);
    await this.toAll(far, 'chunk', body, at);
  }

  /** Refuses a peer that is not a member. Delivery errors are ignored. */
  async refuse(
    { peer, sequence }: Pick<Member, 'peer' | 'sequence'>,
    reason: string,
    retry: boolean,
  ): Promise<void> {
    await this.listener
      .send(peer, sequence, this.#message(0, 'refusal', { reason: tellable(reason), retry }))
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.listener.close();
    this.segments?.close();
  }

  #message<Kind extends BodyKind>(
    generation: number,
    kind: Kind,
    body: Bodies[Kind],
    at: Partial<Header> = {},
  ): Message {
    const { run } = this.options;
    return { run, generation, step: 0, phase: undefined, ...at, kind, body } as Message;
  }

  /** A connection that is no more is a lost worker, not an error of the sender. */
  async #deliver(member: Member, frames: Frames, placed: number): Promise<void> {
    try {
      await this.listener.sendEncoded(member.peer, member.sequence, frames, placed);
    } catch (error) {
      if (!(error instanceof PeerGone)) throw error;
      // He may have been missed before.
      if (this.options.roster.ofPeer(member.peer)) this.options.onGone(member);
    }
  }
}
