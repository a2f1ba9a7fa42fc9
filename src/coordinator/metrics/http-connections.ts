import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Takes a connection out of those that may have to make room. */
export type HoldConnection = (socket: Socket) => void;

/**
 * Keeps so many connections at most: a new one takes the place of the one that asked for nothing for the longest time.
 * So whoever opens many and says little keeps nobody out. Whoever holds one (a stream) has to limit how many are held.
 */
export function limitConnections(server: Server, most: number): HoldConnection {
  const byLastUse = new Set<Socket>();
  const held = new WeakSet<Socket>();
  const use = (socket: Socket): void => {
    byLastUse.delete(socket);
    byLastUse.add(socket);
  };
  server.on('connection', (socket: Socket) => {
    use(socket);
    socket.once('close', () => byLastUse.delete(socket));
    for (const idle of byLastUse) {
      if (byLastUse.size <= most) break;
      if (held.has(idle)) continue;
      byLastUse.delete(idle);
      idle.destroy();
    }
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    use(socket);
  });
  return (socket) => held.add(socket);
}
