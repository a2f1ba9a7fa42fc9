import type { Deferred } from '../../common/deferred.js';
import { CHUNK_BYTES } from '../../wire/codec.js';
import type { Bodies, Content } from '../../wire/message.js';
import { Pull } from '../../wire/pull.js';
import { Rejection } from '../../wire/rejection.js';
import type { TakeBytes } from '../compute-group.js';
import type { Expectations } from './expectations.js';
import type { Post } from './post.js';
import type { Member } from './roster.js';

/** Has a worker keep a copy of state or samples, and fetches it. One at a time. */
export class SnapshotFetch {
  #snapshot:
    | {
        readonly member: Member;
        readonly content: Content;
        readonly total: number;
        readonly taken: Deferred<void>;
      }
    | undefined;
  #pull: { readonly member: Member; readonly content: Content; readonly pull: Pull } | undefined;

  constructor(
    private readonly post: Post,
    private readonly expectations: Expectations,
    /** Waits, but not for ever: a worker that does not answer is lost. */
    private readonly wait: (awaited: Deferred<void>, member: Member) => Promise<void>,
  ) {}

  async fetch(member: Member, content: Content, total: number, take: TakeBytes): Promise<void> {
    const taken = this.expectations.expect();
    this.#snapshot = { member, content, total, taken };
    await this.post.send(member, 'snapshot', { content });
    await this.wait(taken, member);
    this.#snapshot = undefined;

    const arrived = this.expectations.expect();
    const ask = (offset: number): Promise<void> =>
      this.post.send(member, 'fetch', { content, shard: 0, offset });
    const pull = new Pull(total, CHUNK_BYTES, ask, take);
    this.#pull = { member, content, pull };
    pull.start().then(arrived.resolve, arrived.reject);
    await this.wait(arrived, member);
    this.#pull = undefined;
  }

  /** Throws a Rejection for what was not asked for, as `chunk` does. */
  taken(from: Member, { content, total }: Bodies['snapshotTaken']): void {
    const asked = this.#snapshot;
    if (asked?.member !== from || asked.content !== content || asked.total !== total)
      throw new Rejection('unexpected', 'a snapshot that nobody asked for');
    asked.taken.resolve();
  }

  chunk(from: Member, chunk: Bodies['chunk']): void {
    if (this.#pull?.member !== from || this.#pull.content !== chunk.content)
      throw new Rejection('unexpected', `a chunk of content ${chunk.content} that nobody asked for`);
    this.#pull.pull.receive(chunk);
  }
}
