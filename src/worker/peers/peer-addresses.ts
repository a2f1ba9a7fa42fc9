import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * The address of this machine on the way to another one: where others on that way reach it. Undefined where there is no
 * way, or none by IPv4. Nothing is sent: a datagram socket that is connected has only chosen its way.
 */
export async function addressTowards(address: string): Promise<string | undefined> {
  const groups = /^tcp:\/\/(?<host>[^:[\]]+):(?<port>\d+)$/.exec(address)?.groups;
  if (!groups) return undefined;
  const socket = createSocket('udp4');
  try {
    socket.connect(Number(groups['port']), groups['host']);
    await Promise.race([
      once(socket, 'connect'),
      once(socket, 'error').then(([error]) => Promise.reject(error as Error)),
    ]);
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
