import { CHUNK_BYTES } from '../../../wire/codec.js';
import type { Bodies } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';
import type { SnapshotRequests, Copy } from './snapshot-requests.js';
import type { WorkerChannel } from '../worker-channel.js';
import type { Member } from '../members/roster.js';

/**
 * Relays a worker's snapshot to the workers that fetch it. The coordinator stores nothing: it requests a chunk when a
 * receiver requests it, so the receivers' windows bound what is in transit.
 */
export class SnapshotRelay {
  /** Members that wait for the chunk at each offset, and the numbers of their requests. */
  readonly #waiting = new Map<number, { readonly member: Member; readonly request: number }[]>();
  readonly #close: () => void;

  constructor(
    private readonly copy: Copy,
    private readonly snapshots: SnapshotRequests,
    private readonly channel: WorkerChannel,
  ) {
    this.#close = snapshots.open(copy, (chunk) => {
      this.#passOn(chunk);
    });
  }

  /** The number of the worker that has it. */
  get giver(): number {
    return this.copy.member.number;
  }

  /** Returns whether a fetch or chunk belongs to the relayed snapshot. */
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
      await this.snapshots.ask(this.copy, offset);
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
      void this.channel.send(member, 'chunk', { ...chunk, request });
  }
}
