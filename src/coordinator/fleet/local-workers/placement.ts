/** Devices and cores of this machine that belong to one worker. */
export interface Placement {
  readonly gpu: number | undefined;
  readonly cores: readonly number[];
}

/** Worker w's GPU, or else its part of the cores; all of them where there are fewer cores than workers. */
export function placeWorkers(count: number, gpus: readonly number[], cores: number): Placement[] {
  return Array.from({ length: count }, (_, worker) => {
    const gpu = gpus.length > 0 ? gpus[worker % gpus.length] : undefined;
    if (gpu !== undefined || cores < count) return { gpu, cores: [] };
    const first = Math.floor((worker * cores) / count);
    const next = Math.floor(((worker + 1) * cores) / count);
    return { gpu, cores: Array.from({ length: next - first }, (_, index) => first + index) };
  });
}
