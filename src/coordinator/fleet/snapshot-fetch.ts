import type { Deferred } from '../../common/deferred.js';
import { CHUNK_BYTES } from '../../wire/codec.js';
import type { Bodies, Content } from '../../wire/message.js';
import { Pull } from '../../wire/pull.js';
import { Rejection } from '../../wire/rejection.js';
import type { TakeBytes } from '../compute-group.js';
import type { Expectations } from './expectations.js';
import type { Post } from './post.js';
import type { Member } from './roster.js';

/** Has a worker keep a copy of state or samples, and fetches it. One of each at a time. */
export class SnapshotFetch {
  /** What is asked for and what is fetched, by content: samples may be asked for while a state is fetched. */
  readonly #snapshots = new Map<
    Content,
    { readonly member: Member; readonly total: number; readonly taken: Deferred<void> }
  >();
  readonly #pulls = new Map<Content, { readonly member: Member; readonly pull: Pull }>();

  constructor(
    private readonly post: Post,
    private readonly expectations: Expectations,
    /** Waits, but not for ever: a worker that does not answer is lost. */
    private readonly wait: (awaited: Deferred<void>, member: Member) => Promise<void>,
  ) {}

  async fetch(member: Member, content: Content, total: number, take: TakeBytes): Promise<void> {
    await this.copy(member, content, total);
    await this.pull(member, content, total, take);
  }

  /** Resolves when the worker has made its copy. */
  async copy(member: Member, content: Content, total: number): Promise<void> {
    const taken = this.expectations.expect();
    this.#snapshots.set(content, { member, total, taken });
    await this.post.send(member, 'snapshot', { content });
    await this.wait(taken, member);
    this.#snapshots.delete(content);
  }

  /** Fetches the copy that was made last. */
  async pull(member: Member, content: Content, total: number, take: TakeBytes): Promise<void> {
    const arrived = this.expectations.expect();
    const ask = (offset: number): Promise<void> =>
      this.post.send(member, 'fetch', { content, shard: 0, offset });
    const pull = new Pull(total, CHUNK_BYTES, ask, take);
    this.#pulls.set(content, { member, pull });
    pull.start().then(arrived.resolve, arrived.reject);
    await this.wait(arrived, member);
    this.#pulls.delete(content);
  }

  /** Throws a Rejection for what was not asked for, as `chunk` does. */
  taken(from: Member, { content, total }: Bodies['snapshotTaken']): void {
    const asked = this.#snapshots.get(content);
    if (asked?.member !== from || asked.total !== total)
      throw new Rejection('unexpected', 'a snapshot that nobody asked for');
    asked.taken.resolve();
  }

  chunk(from: Member, chunk: Bodies['chunk']): void {
    const pulled = this.#pulls.get(chunk.content);
    if (pulled?.member !== from)
      throw new Rejection('unexpected', `a chunk of content ${chunk.content} that nobody asked for`);
    pulled.pull.receive(chunk);
  }
}
