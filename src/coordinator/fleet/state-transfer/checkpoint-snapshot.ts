import { chunkOffsets } from '../../../wire/chunks.js';
import { Content } from '../../../wire/message.js';
import { CopyLost, type StateCopy, type TakeBytes } from '../../../model/state-source.js';
import type { Copies, Copy, CopyRequest, TakenCopies } from './snapshot-requests.js';
import type { Keeper } from '../members/residual-hosts.js';
import type { Member } from '../members/roster.js';
import { WorkerLost } from '../worker-lost.js';

/** Where what is kept of each shard is, and how many bytes of each. */
export interface KeptShards {
  readonly bytes: number;
  readonly keepers: readonly Keeper[];
}

/**
 * A copy of the state and, in a run that sends int8, of what is kept of each shard: of the same moment, with the workers
 * that have them. It is read piece by piece, so that the coordinator never holds all of it.
 */
export class WholeCopy implements StateCopy {
  private constructor(
    private readonly copies: Copies,
    private readonly taken: TakenCopies,
    private readonly kept: KeptShards | undefined,
  ) {}

  /** Rejects with WorkerLost where one of the workers is lost meanwhile. */
  static async take(copies: Copies, state: CopyRequest, kept?: KeptShards): Promise<WholeCopy> {
    const shardsOf = new Map<Member, number[]>();
    for (const [shard, keeper] of kept?.keepers.entries() ?? [])
      if (keeper && 'number' in keeper) shardsOf.set(keeper, [...(shardsOf.get(keeper) ?? []), shard]);
    const requests = [...shardsOf].map(([member, shards]) => ({
      ...{ member, shards, content: Content.RESIDUALS, total: kept?.bytes ?? 0 },
    }));
    return new WholeCopy(copies, await copies.takeAll([state, ...requests]), kept);
  }

  async read(take: TakeBytes): Promise<void> {
    const [state, ...others] = this.taken.copies;
    try {
      await this.copies.read(state, take);
      if (this.kept) await this.#readShards(this.kept, others, state.total, take);
    } catch (error) {
      throw error instanceof WorkerLost ? new CopyLost(error.message) : error;
    } finally {
      this.taken.release();
    }
  }

  async #readShards(
    { bytes, keepers }: KeptShards,
    copies: readonly Copy[],
    start: number,
    take: TakeBytes,
  ): Promise<void> {
    for (const [shard, keeper] of keepers.entries()) {
      const at = start + shard * bytes;
      const copy = copies.find(({ shards }) => shards?.includes(shard));
      if (copy) await this.copies.read(copy, (part, offset) => take(part, at + offset), shard);
      else
        for (const { offset, length } of chunkOffsets(bytes)) {
          const part =
            keeper && 'read' in keeper ? await keeper.read(shard, offset, length) : new Uint8Array(length);
          await take(part, at + offset);
        }
    }
  }
}
