import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { parseTcp } from '../../wire/address.js';

/**
 * Returns this machine's IP address on the way to another machine, where others on that way reach it. Undefined if there
 * is no way, or only a link-local one, which other machines cannot use. Nothing is sent: a connected datagram socket has
 * only chosen its way.
 */
export async function addressTowards(address: string): Promise<string | undefined> {
  const target = parseTcp(address);
  if (!target) return undefined;
  try {
    const host = await lookup(target.host, { order: 'ipv4first' });
    const local = await localAddress(host, target.port);
    return /^fe[89ab]/i.test(local) ? undefined : local;
  } catch {
    return undefined;
  }
}

async function localAddress(
  { address, family }: { readonly address: string; readonly family: number },
  port: number,
): Promise<string> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(port, address);
    await Promise.race([
      once(socket, 'connect'),
      once(socket, 'error').then(([error]) => Promise.reject(error as Error)),
    ]);
    return socket.address().address;
  } finally {
    socket.close();
  }
}
