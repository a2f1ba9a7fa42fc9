import { readFileSync } from 'node:fs';

/** The processor's features ("avx2", "avx512_bf16"), as Linux names them; none where it does not say. */
export function processorFeatures(): readonly string[] {
  try {
    return featuresOf(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return [];
  }
}

/** The first processor's "flags" (x64) or "Features" (arm64) of /proc/cpuinfo. */
export function featuresOf(cpuinfo: string): string[] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo);
  return line ? line[1].trim().split(/\s+/) : [];
}
