import { inAwakeTime } from '../../../common/process/awake.js';
import { CHUNK_BYTES } from '../../../wire/codec.js';
import type { Bodies, Content } from '../../../wire/message.js';
import { Pull } from '../../../wire/pull.js';
import { Rejection } from '../../../wire/rejection.js';
import type { TakeBytes } from '../../../model/state-source.js';
import type { Expectations } from '../pending-waits.js';
import type { Post } from '../worker-channel.js';
import { describe, type Member, type Roster } from '../members/roster.js';
import { WorkerLost } from '../worker-lost.js';

/** How long a copy may take to be made, and how long to be read, in milliseconds. */
const COPY_TIMEOUT = 120_000;

/** What a worker is asked to copy. */
export interface CopyRequest {
  readonly member: Member;
  readonly content: Content;
  /** Bytes; of a content that is an array for each shard, of each. */
  readonly total: number;
  /** Of such a content: which. */
  readonly shards?: readonly number[];
  readonly withDigest?: boolean;
}

/** What a worker was asked to copy, and keeps until the next copy. */
export interface Copy extends CopyRequest {
  /** SHA-256, where it was asked for. */
  readonly digest: string;
  /** Names the chunks that are fetched of it. */
  readonly request: number;
}

/** Takes what a worker sends of a copy. */
export type TakeChunk = (chunk: Bodies['chunk']) => void;

/** Copies that were taken at once, and how to let the next ones be taken. */
export interface TakenCopies {
  /** In the order they were asked for in. */
  readonly copies: readonly Copy[];
  readonly release: () => void;
}

/** A copy that is being made. */
interface Awaited {
  readonly copy: Omit<Copy, 'digest'>;
  digest: string | undefined;
}

/** Has workers keep copies of what they hold, and fetches them. */
export class Copies {
  #request = 0;
  #awaited: readonly Awaited[] = [];
  #onTaken = (): void => undefined;
  /** Who takes the chunks of each copy that is being read. */
  readonly #readers = new Map<number, { readonly member: Member; readonly take: TakeChunk }>();
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly post: Post,
    private readonly expectations: Expectations,
    private readonly roster: Roster,
    /** A worker does not answer in this many milliseconds. */
    private readonly onLate: (member: Member, milliseconds: number) => void,
  ) {}

  /**
   * Has a worker copy this content as it is when it has done what it was asked for before. Rejects with WorkerLost.
   * A worker has one copy of each content, so the next one waits until `release` was called for this one.
   */
  async take(
    member: Member,
    content: Content,
    total: number,
  ): Promise<{ readonly copy: Copy; readonly release: () => void }> {
    const { copies, release } = await this.takeAll([{ member, content, total }]);
    return { copy: copies[0], release };
  }

  /** The same of several contents and workers at once, at least one. Where one of the workers is lost, all are. */
  async takeAll(requests: readonly CopyRequest[]): Promise<TakenCopies> {
    const release = await this.#turn();
    try {
      for (const { member } of requests) this.#requireHere(member);
      const awaited = requests.map((request): Awaited => ({
        copy: { ...request, request: ++this.#request },
        digest: undefined,
      }));
      const missing = (): Awaited[] => awaited.filter(({ digest }) => digest === undefined);
      const taken = this.expectations.expect((worker) =>
        awaited.some(({ copy }) => copy.member.number === worker),
      );
      this.#awaited = awaited;
      this.#onTaken = () => {
        if (missing().length === 0) taken.resolve();
      };
      for (const { member, content, withDigest = false, shards = [] } of requests)
        await this.post.send(member, 'snapshot', { content, withDigest, shards: [...shards] });
      await this.expectations.within(COPY_TIMEOUT, taken, () => {
        for (const member of new Set(missing().map(({ copy }) => copy.member)))
          this.onLate(member, COPY_TIMEOUT);
      });
      return { copies: awaited.map(({ copy, digest = '' }) => ({ ...copy, digest })), release };
    } catch (error) {
      release();
      throw error;
    } finally {
      this.#awaited = [];
    }
  }

  /** Fetches a whole copy, or that of one of its shards. Rejects with WorkerLost. */
  async read(copy: Copy, take: TakeBytes, shard = 0): Promise<void> {
    const { member, total } = copy;
    this.#requireHere(member);
    const arrived = this.expectations.expect((worker) => worker === member.number);
    const pull = new Pull(total, CHUNK_BYTES, (offset) => this.ask(copy, offset, shard), take);
    const close = this.open(copy, (chunk) => {
      if (chunk.shard !== shard) throw new Rejection('unexpected', `a chunk of shard ${chunk.shard}`);
      pull.receive(chunk);
    });
    pull.start().then(arrived.resolve, arrived.reject);
    try {
      await this.expectations.within(COPY_TIMEOUT, arrived, () => {
        this.onLate(member, COPY_TIMEOUT);
      });
    } finally {
      close();
    }
  }

  /** Lets `take` have the chunks of a copy that are asked for from now on. Returns how to end that. */
  open({ member, request }: Copy, take: TakeChunk): () => void {
    this.#readers.set(request, { member, take });
    return () => {
      this.#readers.delete(request);
    };
  }

  ask({ member, content, request }: Copy, offset: number, shard: number): Promise<void> {
    return this.post.send(member, 'fetch', { content, shard, offset, request });
  }

  /** Throws a Rejection for what was not asked for, as `chunk` does. */
  taken(from: Member, { content, total, digest }: Bodies['snapshotTaken']): void {
    const awaited = this.#awaited.find(
      ({ copy, digest: said }) => copy.member === from && copy.content === content && said === undefined,
    );
    if (awaited?.copy.total !== total) throw new Rejection('unexpected', 'a copy that nobody asked for');
    awaited.digest = digest;
    this.#onTaken();
  }

  chunk(from: Member, chunk: Bodies['chunk']): void {
    const reader = this.#readers.get(chunk.request);
    if (reader?.member === from) reader.take(chunk);
    else if (chunk.request > this.#request)
      throw new Rejection('unexpected', `a chunk of content ${chunk.content} that nobody asked for`);
    // Otherwise it was on its way when its reading was given up.
  }

  /** Who is lost already is not lost again: nobody would end the wait. */
  #requireHere(member: Member): void {
    if (this.roster.get(member.number) !== member)
      throw new WorkerLost(member.number, 'silent', `${describe(member)} is gone, and its copy with it`);
  }

  /** Waits for the copy before, as long as that may take, and resolves with how to let the next one begin. */
  async #turn(): Promise<() => void> {
    const before = this.#last;
    let release = (): void => undefined;
    this.#last = new Promise((resolve) => {
      release = resolve;
    });
    await inAwakeTime(2 * COPY_TIMEOUT, before);
    return release;
  }
}
