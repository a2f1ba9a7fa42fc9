import { readdirSync, readFileSync } from 'node:fs';

/** Linux's /proc. A process that has ended has no children and no memory. */

export function childrenOf(pid: number): number[] {
  return (orNothing(() => readdirSync(`/proc/${pid}/task`)) ?? []).flatMap((thread) =>
    (orNothing(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );
}

/** The most memory that a process of the tree has had resident so far, in MiB. */
export function largestPeak(pid: number): number {
  return Math.max(peakOf(pid), ...childrenOf(pid).map(largestPeak));
}

/** Not the kernel's ru_maxrss: that one a process inherits from the one that started it. */
function peakOf(pid: number): number {
  const status = orNothing(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // It has ended.
  }
}
