import { lookup } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../common/errors.js';
import { parseTcp } from '../wire/address.js';
import { UnknownHost } from './session-lost.js';

/** Node's timers take no more milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Returns whether the host of an address is reached by IPv6, because it has no IPv4 address. Rejects with UnknownHost if
 * it has no address at all, or none is found within so many milliseconds.
 */
export async function isReachedByIPv6(address: string, deadline: number): Promise<boolean> {
  const host = parseTcp(address)?.host;
  if (host === undefined) return false;
  const timer = new AbortController();
  const late = pause(Math.min(Math.max(0, deadline), LONGEST_TIMER), undefined, {
    signal: timer.signal,
  }).then(() => {
    throw new UnknownHost(`cannot resolve ${host} (no answer)`);
  });
  try {
    const found = lookup(host, { order: 'ipv4first' }).catch((error: unknown) => {
      throw new UnknownHost(`cannot resolve ${host} (${codeOf(error) ?? String(error)})`);
    });
    return (await Promise.race([found, late])).family === 6;
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}
