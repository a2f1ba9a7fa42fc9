import { inAwakeTime } from '../../../common/process/awake.js';
import { CHUNK_BYTES } from '../../../wire/codec.js';
import type { Bodies, Content } from '../../../wire/message.js';
import { Pull } from '../../../wire/pull.js';
import { Rejection } from '../../../wire/rejection.js';
import { CopyLost, type StateCopy, type TakeBytes } from '../../../model/state-source.js';
import type { PendingReplies } from '../pending-replies.js';
import type { WorkerChannel } from '../worker-channel.js';
import { describe, type Member, type Roster } from '../members/roster.js';
import { WorkerLost } from '../worker-lost.js';

/** Milliseconds for a worker to take a snapshot, and again to send it. */
const COPY_TIMEOUT = 120_000;

/** Request to a worker for a snapshot. */
export interface SnapshotRequest {
  readonly member: Member;
  readonly content: Content;
  readonly total: number;
  readonly withDigest?: boolean;
}

/** A snapshot that a worker keeps until the next one. */
export interface Copy extends SnapshotRequest {
  /** SHA-256, where it was asked for. */
  readonly digest: string;
  /** Names the chunks that are fetched of it. */
  readonly request: number;
}

/** Takes what a worker sends of a copy. */
export type TakeChunk = (chunk: Bodies['chunk']) => void;

/** A copy that is being made. */
interface Awaited extends SnapshotRequest {
  readonly onTaken: (digest: string) => void;
}

/** Has workers keep copies of what they hold, and fetches them. */
export class SnapshotRequests {
  #request = 0;
  #awaited: Awaited | undefined;
  /** Reader of each snapshot that is being read, by request. */
  readonly #readers = new Map<number, { readonly member: Member; readonly take: TakeChunk }>();
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly channel: WorkerChannel,
    private readonly replies: PendingReplies,
    private readonly roster: Roster,
    /** A worker does not answer in this many milliseconds. */
    private readonly onLate: (member: Member, milliseconds: number) => void,
  ) {}

  /**
   * Has a worker copy this content as it is when it has done what it was asked for before. Rejects with WorkerLost.
   * A worker has one copy of each content, so the next one waits until `release` was called for this one.
   */
  async take(request: SnapshotRequest): Promise<{ readonly copy: Copy; readonly release: () => void }> {
    const { member, content, withDigest = false } = request;
    const release = await this.#turn();
    try {
      this.#requireHere(member);
      const number = ++this.#request;
      const taken = this.replies.expect((worker) => worker === member.number);
      let digest = '';
      const onTaken = (said: string): void => {
        digest = said;
        taken.resolve();
      };
      this.#awaited = { ...request, onTaken };
      await this.channel.send(member, 'snapshot', { content, withDigest });
      await this.replies.within(COPY_TIMEOUT, taken, () => {
        this.onLate(member, COPY_TIMEOUT);
      });
      return { copy: { ...request, digest, request: number }, release };
    } catch (error) {
      release();
      throw error;
    } finally {
      this.#awaited = undefined;
    }
  }

  /** Has a worker copy its state, which is read from there piece by piece. The copy's `read` rejects with CopyLost. */
  async takeState(request: SnapshotRequest): Promise<StateCopy> {
    const { copy, release } = await this.take(request);
    return {
      read: async (take) => {
        try {
          await this.read(copy, take);
        } catch (error) {
          throw error instanceof WorkerLost ? new CopyLost(error.message) : error;
        } finally {
          release();
        }
      },
    };
  }

  /** Fetches a whole copy. Rejects with WorkerLost. */
  async read(copy: Copy, take: TakeBytes): Promise<void> {
    const { member, total } = copy;
    this.#requireHere(member);
    const arrived = this.replies.expect((worker) => worker === member.number);
    const pull = new Pull(total, CHUNK_BYTES, (offset) => this.ask(copy, offset), take);
    const close = this.open(copy, (chunk) => {
      pull.receive(chunk);
    });
    pull.start().then(arrived.resolve, arrived.reject);
    try {
      await this.replies.within(COPY_TIMEOUT, arrived, () => {
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

  ask({ member, content, request }: Copy, offset: number): Promise<void> {
    return this.channel.send(member, 'fetch', { content, shard: 0, offset, request });
  }

  /** Throws a Rejection for what was not asked for, as `chunk` does. */
  taken(from: Member, { content, total, digest }: Bodies['snapshotTaken']): void {
    const awaited = this.#awaited;
    if (awaited?.member !== from || awaited.content !== content || awaited.total !== total)
      throw new Rejection('unexpected', 'a copy that was not requested');
    this.#awaited = undefined;
    awaited.onTaken(digest);
  }

  chunk(from: Member, chunk: Bodies['chunk']): void {
    const reader = this.#readers.get(chunk.request);
    if (reader?.member === from) reader.take(chunk);
    else if (chunk.request > this.#request)
      throw new Rejection('unexpected', `a chunk of content ${chunk.content} that nobody asked for`);
    // Otherwise it was on its way when its reading was given up.
  }

  /** Fails at once if the member has left: no later event would end the wait. */
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
