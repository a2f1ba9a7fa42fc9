import { readdirSync, readFileSync } from 'node:fs';

/** Processes that this one has started and that still run, from /proc. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statusOf(pid)?.parent === parent);
}

/** A zombie is dead: only its parent has not asked yet. */
export function isAlive(pid: number): boolean {
  const status = statusOf(pid);
  return status !== undefined && status.state !== 'Z';
}

/** The worker processes of a coordinator. */
export function workersOf(coordinator: number): number[] {
  return childrenOf(coordinator).filter((pid) => commandOf(pid).includes('/worker/main.js'));
}

/** Its arguments; empty if it is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function statusOf(pid: number): { state: string; parent: number } | undefined {
  try {
    // "pid (name) state parent ...", and the name may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
