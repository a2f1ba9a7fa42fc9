/** Which shards each of `workers` hosts: neighbouring ones, as evenly as possible. */
export function assignShards(shards: number, workers: number): number[][] {
  const first = (worker: number): number => Math.floor((worker * shards) / workers);
  return Array.from({ length: workers }, (_, worker) =>
    Array.from({ length: first(worker + 1) - first(worker) }, (_, index) => first(worker) + index),
  );
}
