import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

const DRIVER_FOLDER = '/proc/driver/nvidia/gpus';

/** "AMD EPYC, 2 cores", and the GPUs, where there are any. */
export function describeMachine(gpus: number): string {
  const processors = `${cpus()[0].model.trim()}, ${cpus().length} cores`;
  return gpus === 0 ? processors : `${processors}, ${gpus} x ${gpuModel()}`;
}

function gpuModel(): string {
  const information = readFileSync(join(DRIVER_FOLDER, readdirSync(DRIVER_FOLDER)[0], 'information'), 'utf8');
  return /^Model:\s+(.*)$/m.exec(information)?.[1] ?? 'GPU';
}
