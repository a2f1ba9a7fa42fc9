import { CHUNK_BYTES } from '../../../wire/codec.js';
import type { Bodies } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';
import type { Copies, Copy } from './snapshot-requests.js';
import type { Post } from '../worker-channel.js';
import type { Member } from '../members/roster.js';

/**
 * Passes a worker's copy on to those that fetch it. The coordinator keeps nothing of it: a chunk is asked for when
 * somebody asks for it, so what is on its way is what the receivers' windows allow.
 */
export class CopyRelay {
  /** Who waits for the chunk at each place, and by which request. */
  readonly #waiting = new Map<string, { readonly member: Member; readonly request: number }[]>();
  readonly #close: () => void;

  constructor(
    private readonly copy: Copy,
    private readonly copies: Copies,
    private readonly post: Post,
  ) {
    this.#close = copies.open(copy, (chunk) => {
      this.#passOn(chunk);
    });
  }

  /** The number of the worker that has it. */
  get giver(): number {
    return this.copy.member.number;
  }

  /** Whether this is what it passes on. */
  has({ content, shard }: Pick<Bodies['fetch'], 'content' | 'shard'>): boolean {
    return content === this.copy.content && (this.copy.shards?.includes(shard) ?? true);
  }

  /** Throws a Rejection for a byte that there is not. */
  async fetch(member: Member, { shard, offset, request }: Bodies['fetch']): Promise<void> {
    if (offset >= this.copy.total || offset % CHUNK_BYTES !== 0)
      throw new Rejection('out_of_range', `there is no chunk at ${offset} of a copy`);
    const place = placeOf(shard, offset);
    const others = this.#waiting.get(place);
    if (others) others.push({ member, request });
    else {
      this.#waiting.set(place, [{ member, request }]);
      await this.copies.ask(this.copy, offset, shard);
    }
  }

  close(): void {
    this.#close();
    this.#waiting.clear();
  }

  #passOn(chunk: Bodies['chunk']): void {
    const place = placeOf(chunk.shard, chunk.offset);
    const waiting = this.#waiting.get(place);
    if (!waiting || chunk.total !== this.copy.total || !this.has(chunk))
      throw new Rejection('unexpected', `a chunk at ${chunk.offset} of ${chunk.total} that nobody asked for`);
    this.#waiting.delete(place);
    for (const { member, request } of waiting)
      // Who cannot be reached is missed elsewhere.
      void this.post.send(member, 'chunk', { ...chunk, request });
  }
}

function placeOf(shard: number, offset: number): string {
  return `${shard} ${offset}`;
}
