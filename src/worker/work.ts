import { cacheFolder } from '../common/cache-folder.js';
import { readLinkSecurity } from '../wire/key-folder.js';
import { WorkerSession } from './session.js';
import type { WorkerOptions } from './options.js';

/** Takes part in a run until the coordinator says that it is over. */
export async function work(options: WorkerOptions): Promise<void> {
  const { keys, keyName } = options;
  const security = keys === undefined ? undefined : await readLinkSecurity(keys, keyName);
  const session = new WorkerSession(options, cacheFolder(), log, security);
  const stopListening = watchProcess(session);
  try {
    await session.run();
  } finally {
    stopListening();
  }
}

/**
 * A worker that the coordinator started has a channel to it, and ends with it, whatever it is doing: nobody else
 * would. It leaves signals to the coordinator, since Ctrl-C reaches the whole group. Another one takes its leave.
 */
function watchProcess(session: WorkerSession): () => void {
  const supervised = process.send !== undefined;
  const onSignal = supervised
    ? (): void => undefined
    : (signal: NodeJS.Signals): void => {
        session.leave(`it was told to stop (${signal})`);
      };
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
