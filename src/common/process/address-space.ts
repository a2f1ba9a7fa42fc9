import { readFileSync } from 'node:fs';

/** Node's error if WebAssembly cannot reserve its memory: 10 GB of addresses at a time. */
const NO_MEMORY = 'could not allocate memory';

/**
 * Completes the message of a failure to reserve memory by its usual cause, a limit of addresses as batch systems set it.
 * Other messages stay as they are.
 */
export function explainLackOfMemory(message: string, limits = readLimits()): string {
  if (!message.includes(NO_MEMORY)) return message;
  const bytes = Number(/^Max address space\s+(\d+)/m.exec(limits)?.[1] ?? NaN);
  if (Number.isNaN(bytes)) return message;
  return `${message}: the address space of this process is limited to ${(bytes / 1e9).toFixed(1)} GB; remove the limit (ulimit -v unlimited) and limit resident memory instead`;
}

/** Empty on systems other than Linux. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
