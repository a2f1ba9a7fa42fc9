import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Machine } from './target.js';

/** Returns the machine of this process. Reads files only, since it runs at every start. */
export function thisMachine(environment: NodeJS.ProcessEnv): Machine {
  return {
    platform: process.platform,
    architecture: process.arch,
    glibc: glibcVersion(),
    gpuDriver: hasGpuDriver(existsSync, environment['PATH'] ?? ''),
  };
}

/** Returns whether NVIDIA's driver is there: its device or module, or (WSL keeps neither) the tool that comes with it. */
export function hasGpuDriver(exists: (path: string) => boolean, path: string): boolean {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  const signs = ['/dev/nvidiactl', '/proc/driver/nvidia/version', '/usr/lib/wsl/lib/nvidia-smi'];
  return [...signs, ...folders.map((folder) => join(folder, 'nvidia-smi'))].some(exists);
}

/** Undefined on Alpine and other systems with another C library, for which there is no TensorFlow. */
function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const settings = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = settings.excludeNetwork;
  settings.excludeNetwork = true; // else the report asks the name server about every connection
  try {
    const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return report.header?.glibcVersionRuntime;
  } finally {
    if (before !== undefined) settings.excludeNetwork = before;
  }
}
