import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Received bytes between collections. V8 counts a payload twice, since the binding reports it too, and starts to mark
 * its whole heap at 64 MB.
 */
const BYTES_BETWEEN = 20_000_000;

let collect: NodeJS.GCFunction | undefined;
let received = 0;

/**
 * To be called with the size of what a socket received. A payload lies outside of V8's heap, and is given back when its
 * few young objects are collected. V8 would not do so for them, since they are small, until all payloads together have
 * grown so large that it marks the whole heap, with every core: 20 ms of processor time in each round of averaging. A
 * collection of what is young takes half a millisecond, and payloads come to memory that is still in the cache.
 */
export function countReceived(bytes: number): void {
  received += bytes;
  if (received < BYTES_BETWEEN) return;
  received = 0;
  collect ??= exposeCollection();
  collect({ type: 'minor', execution: 'sync' });
}

/** Exposes V8's collector, as `node --expose-gc` does. */
function exposeCollection(): NodeJS.GCFunction {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as NodeJS.GCFunction;
}
