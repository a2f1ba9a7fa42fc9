import { BlockList, isIPv4, isIPv6 } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Returns whether this host name or IP address (without brackets) is one that only this machine can reach. That includes IPv4
 * addresses in IPv6's form, such as ::ffff:127.0.0.1.
 */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return LOOPBACK.check(host, 'ipv4');
  if (isIPv6(host)) return LOOPBACK.check(host.replace(/%.*$/, ''), 'ipv6');
  return host.toLowerCase() === 'localhost';
}
