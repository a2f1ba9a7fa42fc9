import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Handover } from '../wire/handover.js';

/** Returns whether a coordinator started this worker: the two share a channel. */
export function isSupervised(): boolean {
  return process.send !== undefined;
}

/** The first message of the coordinator that has started this worker. */
export async function receiveHandover(): Promise<Handover> {
  const [handover] = (await once(process, 'message')) as [Handover];
  const { sockets } = handover;
  // The coordinator was killed: nothing else removes its sockets.
  if (sockets !== undefined)
    process.prependListener('disconnect', () => {
      rmSync(sockets, { recursive: true, force: true });
    });
  return handover;
}
