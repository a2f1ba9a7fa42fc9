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
  /** Members that wait for the chunk at each offset, and the numbers of their requests. */
  readonly #waiting = new Map<number, { readonly member: Member; readonly request: number }[]>();
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
  has({ content }: Pick<Bodies['fetch'], 'content'>): boolean {
    return content === this.copy.content;
  }

  /** Throws a Rejection for a byte that there is not. */
  async fetch(member: Member, { offset, request }: Bodies['fetch']): Promise<void> {
    if (offset >= this.copy.total || offset % CHUNK_BYTES !== 0)
      throw new Rejection('out_of_range', `there is no chunk at ${offset} of a copy`);
    const others = this.#waiting.get(offset);
    if (others) others.push({ member, request });
    else {
      this.#waiting.set(offset, [{ member, request }]);
      await this.copies.ask(this.copy, offset);
    }
  }

  close(): void {
    this.#close();
    this.#waiting.clear();
  }

  #passOn(chunk: Bodies['chunk']): void {
    const waiting = this.#waiting.get(chunk.offset);
    if (!waiting || chunk.total !== this.copy.total || !this.has(chunk))
      throw new Rejection('unexpected', `a chunk at ${chunk.offset} of ${chunk.total} that nobody asked for`);
    this.#waiting.delete(chunk.offset);
    for (const { member, request } of waiting)
      // Who cannot be reached is missed elsewhere.
      void this.post.send(member, 'chunk', { ...chunk, request });
  }
}
