import { curveKeyPair } from 'zeromq';
import type { KeyPair, LinkSecurity, ListenerSecurity } from '../../../src/wire/security.js';

const COORDINATOR = curveKeyPair();

/** A worker whose key the listener's security admits. */
export const ADMITTED: LinkSecurity = linkSecurity();

export const LISTENER_SECURITY: ListenerSecurity = {
  secretKey: COORDINATOR.secretKey,
  admitted: new Set([ADMITTED.publicKey]),
};

/** A worker that knows its coordinator, and that the coordinator does not know. */
export function linkSecurity(own: KeyPair = curveKeyPair()): LinkSecurity {
  return { ...own, serverKey: COORDINATOR.publicKey };
}
