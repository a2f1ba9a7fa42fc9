import { readdirSync } from 'node:fs';

/** Descriptors that connections leave to everything else: files, pipes, sockets of children, HTTP. */
const RESERVE = 128;

/** This process's descriptors, in no order. Linux. */
export function openFiles(): number[] {
  return readdirSync('/proc/self/fd').map(Number);
}

/** The part of a limit that connections of other processes must leave free. */
export function fileReserve(limit: number): number {
  return Math.min(RESERVE, Math.floor(limit / 4));
}
