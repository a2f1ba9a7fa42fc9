/**
 * Assigns shards to workers as evenly as possible, and moves as few as possible. `hosted`: current worker of each
 * shard. Shards of lost workers go to the others. If counts must differ, a worker that hosts more keeps more.
 */
export function spreadShards(
  shards: number,
  workers: readonly number[],
  hosted: ReadonlyMap<number, readonly number[]> = new Map(),
): Map<number, number[]> {
  const has = (worker: number): readonly number[] => hosted.get(worker) ?? [];
  const byLoad = [...workers].sort((one, other) => has(other).length - has(one).length || one - other);
  const least = Math.floor(shards / workers.length);
  const larger = new Set(byLoad.slice(0, shards % workers.length));
  const room = (worker: number): number => least + (larger.has(worker) ? 1 : 0);

  const spread = new Map(workers.map((worker) => [worker, has(worker).slice(0, room(worker))]));
  const kept = new Set([...spread.values()].flat());
  const free = Array.from({ length: shards }, (_, shard) => shard).filter((shard) => !kept.has(shard));
  for (const [worker, own] of spread) {
    own.push(...free.splice(0, room(worker) - own.length));
    own.sort((one, other) => one - other);
  }
  return spread;
}
