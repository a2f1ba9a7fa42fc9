import { readdirSync } from 'node:fs';

/** Folder in which NVIDIA's driver lists the GPUs, one sub-folder each. */
const DRIVER_FOLDER = '/proc/driver/nvidia/gpus';

/** Numbers of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them. Starts no program. */
export function visibleGpus(
  environment: NodeJS.ProcessEnv = process.env,
  countInstalled: () => number = countFromDriver,
): number[] {
  const installed = countInstalled();
  const visible = environment['CUDA_VISIBLE_DEVICES'];
  if (visible === undefined) return Array.from({ length: installed }, (_, index) => index);
  const numbers = visible.split(',').map((text) => text.trim());
  // As CUDA does: the first entry that is no device hides itself and all after it.
  const end = numbers.findIndex((text) => !/^\d+$/.test(text) || Number(text) >= installed);
  return numbers.slice(0, end < 0 ? numbers.length : end).map(Number);
}

function countFromDriver(): number {
  try {
    return readdirSync(DRIVER_FOLDER).length;
  } catch {
    return 0;
  }
}
