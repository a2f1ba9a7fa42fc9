import { setTimeout as pause } from 'node:timers/promises';
import { cacheFolder } from '../common/files/cache-folder.js';
import { say, setLogFormat } from '../common/log.js';
import { requireAddress } from '../wire/address.js';
import { AddressSecret } from '../wire/address-secret.js';
import { readLinkSecurity } from '../wire/key-folder.js';
import { openSegments } from '../wire/segments/segments.js';
import { SocketFolder } from '../wire/socket-folder.js';
import { isReachedByIPv6 } from './coordinator-host.js';
import { isSupervised, receiveHandover } from './handover.js';
import { ShutdownSignal } from './shutdown.js';
import { RunLoader } from './run-context.js';
import { ConnectDeadline } from './connect-deadline.js';
import { SessionLost, Refused } from './session-lost.js';
import { WorkerSession } from './session.js';
import type { WorkerOptions } from './options.js';

/** Before a worker that was turned away says hello again, in milliseconds. */
const PAUSE = 500;

/**
 * Works for a run until the coordinator ends it. If the connection breaks or the coordinator restarts, the worker
 * reconnects with its state.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  setLogFormat(options.log);
  const { coordinator, connectTimeout, reconnectTimeout, keys, keyName, peerPort } = options;
  const security = keys === undefined ? undefined : await readLinkSecurity(keys, keyName);
  requireAddress(coordinator, '--coordinator');
  const loader = new RunLoader(options, cacheFolder(), say);
  let session: WorkerSession | undefined;
  let sockets: SocketFolder | undefined;
  const leave = new ShutdownSignal({
    grace: options.grace * 1000,
    isInRun: () => session?.welcomed ?? false,
    onLeave: (reason) => session?.leave(reason),
    log: say,
  });
  try {
    const handover = isSupervised() ? await receiveHandover() : undefined;
    if (!handover) sockets = SocketFolder.make();
    // The parent of a worker is the coordinator: while it lives, the worker keeps its state for it.
    const inTime = (seconds: number): number => (handover ? Infinity : seconds * 1000);
    const deadline = new ConnectDeadline(coordinator, inTime(connectTimeout), say);
    let secret = handover?.secret ?? '';
    const readSecret = (): string => {
      if (!handover && security === undefined) secret = AddressSecret.read(coordinator);
      return secret;
    };
    while (!leave.isRequested()) {
      session = undefined;
      try {
        const ipv6 = await isReachedByIPv6(coordinator, deadline.left);
        if (leave.isRequested()) break;
        session = new WorkerSession({
          ...{ address: coordinator, ipv6, loader, security, peerPort, openSegments: openSegments(say) },
          secret: readSecret,
          sockets: handover ? handover.sockets : sockets?.path,
        });
        await session.run(deadline.left);
        return;
      } catch (error) {
        if (!(error instanceof SessionLost)) throw error;
        if (leave.isRequested()) break;
        if (session?.welcomed) {
          say(`lost the coordinator, connecting again: ${error.message}`, { level: 'warn' });
          deadline.renew(inTime(reconnectTimeout));
        } else {
          // A coordinator that has just started may have written its secret after this worker connected.
          const sent = secret;
          const isOutdated = error instanceof Refused && readSecret() !== sent;
          if (!isOutdated) deadline.failed(error);
        }
      }
      await pause(PAUSE);
    }
    process.exitCode = leave.exitCode;
  } finally {
    leave.close();
    await loader.close();
    sockets?.remove();
  }
}
