import { readdirSync, readFileSync } from 'node:fs';

/** Descriptors that connections leave to everything else: files, pipes, sockets of children, HTTP. */
const RESERVE = 128;

/** This process's descriptors, in no order. Linux. */
export function openFiles(): number[] {
  return readdirSync('/proc/self/fd').map(Number);
}

/** The most descriptors that this process may have. */
export function fileLimit(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? Infinity : Number(limit);
  } catch {
    return Infinity;
  }
}

/** The part of a limit that connections of other processes must leave free. */
export function fileReserve(limit: number): number {
  return Math.min(RESERVE, Math.floor(limit / 4));
}
