import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps so many connections at most: a new one takes the place of the one that asked for nothing for the longest time.
 * So whoever opens many and says little keeps nobody out.
 */
export function limitConnections(server: Server, most: number): void {
  const byLastUse = new Set<Socket>();
  const use = (socket: Socket): void => {
    byLastUse.delete(socket);
    byLastUse.add(socket);
  };
  server.on('connection', (socket: Socket) => {
    use(socket);
    socket.once('close', () => byLastUse.delete(socket));
    for (const idle of byLastUse) {
      if (byLastUse.size <= most) break;
      byLastUse.delete(idle);
      idle.destroy();
    }
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    use(socket);
  });
}
