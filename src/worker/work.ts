import { setTimeout as pause } from 'node:timers/promises';
import { cacheFolder } from '../common/cache-folder.js';
import { readLinkSecurity } from '../wire/key-folder.js';
import { RunLoader } from './loaded-run.js';
import { Patience } from './patience.js';
import { SessionLost } from './session-lost.js';
import { WorkerSession } from './session.js';
import type { WorkerOptions } from './options.js';

/** Before a worker that was turned away says hello again, in milliseconds. */
const PAUSE = 500;

/**
 * Takes part in a run until the coordinator says that it is over. Where the connection breaks, or the coordinator ends
 * and is started again, the worker goes on with the state that it has.
 */
export async function work(options: WorkerOptions): Promise<void> {
  const { coordinator, connectTimeout, reconnectTimeout, keys, keyName } = options;
  const security = keys === undefined ? undefined : await readLinkSecurity(keys, keyName);
  const loader = new RunLoader(options, cacheFolder(), log);
  let session: WorkerSession | undefined;
  const leaving = new AbortController();
  const stopListening = watchProcess((signal) => {
    leaving.abort();
    session?.leave(`it was told to stop (${signal})`);
  });
  const patience = new Patience(coordinator, connectTimeout * 1000, log);
  try {
    while (!leaving.signal.aborted) {
      session = new WorkerSession(coordinator, loader, security);
      try {
        await session.run(patience.left);
        return;
      } catch (error) {
        if (!(error instanceof SessionLost)) throw error;
        if (session.welcomed) {
          log(`lost the coordinator, connecting again: ${error.message}`);
          patience.renew(reconnectTimeout * 1000);
        } else patience.failed(error);
      }
      await pause(PAUSE);
    }
  } finally {
    stopListening();
    await loader.close();
  }
}

/**
 * A worker that the coordinator started has a channel to it, and ends with it, whatever it is doing: nobody else
 * would. It leaves signals to the coordinator, since Ctrl-C reaches the whole group. Another one takes its leave.
 */
function watchProcess(onTold: (signal: NodeJS.Signals) => void): () => void {
  const supervised = process.send !== undefined;
  const onSignal = supervised ? (): void => undefined : onTold;
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  if (supervised) process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  return () => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    if (supervised) {
      process.removeAllListeners('disconnect');
      process.disconnect();
    }
  };
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
