import { isIPv6 } from 'node:net';
import { UserError } from '../common/errors.js';
import { isLoopback } from '../common/loopback.js';

/** The option that an address comes from, to name in errors. */
export type AddressOption = '--listen' | '--coordinator' | '--peer-port';

export interface TcpAddress {
  /** A name or an IP address, without brackets. `*`: all IPv4 addresses of this machine. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

const LARGEST_PORT = 65_535;

/** Returns whether the address has a supported transport. ZeroMQ has more, which are untested. */
export function isAddress(address: string): boolean {
  return /^(tcp|ipc|inproc):\/\//.test(address);
}

/** Undefined for an address of another transport, and for one that is malformed. */
export function parseTcp(address: string): TcpAddress | undefined {
  const { host, port } = partsOf(address) ?? {};
  if (host === undefined || host === '' || port === undefined) return undefined;
  if (port !== '*' && (!/^\d+$/.test(port) || Number(port) > LARGEST_PORT)) return undefined;
  return { host, port: port === '*' ? 0 : Number(port) };
}

/** The ZeroMQ address of a TCP port: an IPv6 address gets brackets. */
export function formatTcp(host: string, port: number | '*'): string {
  return isIPv6(host) ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`;
}

/** Returns whether a socket needs ZeroMQ's option for IPv6 to use this address. */
export function isIPv6Address(address: string): boolean {
  return isIPv6(parseTcp(address)?.host ?? '');
}

/** Throws a UserError that names what is wrong with a malformed address. */
export function requireAddress(address: string, option: AddressOption): void {
  const fault = faultIn(address, option);
  if (fault !== undefined) throw new UserError(`${option} ${address} ${fault}`);
}

/** Throws a UserError for an address that other machines can reach, where there are no keys to tell them apart. */
export function requireKeys(address: string, keys: unknown, option: AddressOption): void {
  if (keys !== undefined || !address.startsWith('tcp://')) return;
  const host = parseTcp(address)?.host;
  if (host !== undefined && isLoopback(host)) return;
  throw new UserError(
    `${option} ${address} is beyond this machine and needs keys: make them with \`coordinator keys DIR\`, then give --keys DIR`,
  );
}

/** Host and port as they are written; undefined if the address cannot be divided into the two. */
function partsOf(address: string): { host: string; port: string | undefined } | undefined {
  const pattern = /^tcp:\/\/(?:\[(?<v6>[^\]]*)\]|(?<name>[^:;/[\]]*))(?::(?<port>.*))?$/;
  const groups = pattern.exec(address)?.groups;
  if (!groups) return undefined;
  const v6 = groups['v6'] as string | undefined;
  if (v6 !== undefined && !isIPv6(v6)) return undefined;
  return { host: v6 ?? groups['name'], port: groups['port'] };
}

function faultIn(address: string, option: AddressOption): string | undefined {
  const listens = option !== '--coordinator';
  const example = listens ? 'tcp://127.0.0.1:5555' : 'tcp://10.0.0.1:5555';
  if (!isAddress(address)) return `is not an address: use tcp://HOST:PORT, such as ${example}, or ipc://FILE`;
  if (!address.startsWith('tcp://'))
    return address.endsWith('://') ? 'has no name after the slashes: use ipc://FILE' : undefined;
  const rest = address.slice('tcp://'.length);
  if (!rest.startsWith('[') && rest.split(':').length > 2 && isIPv6(rest.split(/[/;]/)[0]))
    return 'has an IPv6 address without brackets: use tcp://[ADDRESS]:PORT, such as tcp://[::1]:5555';
  const parts = partsOf(address);
  if (!parts)
    return `is not tcp://HOST:PORT: use a name, an IPv4 address or an IPv6 address in brackets, such as ${example}`;
  const { host, port = '' } = parts;
  if (host === '' || (host === '*' && !listens))
    return `has no host: use tcp://HOST:PORT, such as ${example}`;
  if (port === '') return `has no port: use tcp://HOST:PORT, such as ${formatTcp(host, 5555)}`;
  if (listens && port === '*') return undefined;
  const least = listens ? 0 : 1;
  if (!/^\d+$/.test(port) || Number(port) > LARGEST_PORT || Number(port) < least)
    return `has the port "${port}": use a number from ${least} to ${LARGEST_PORT}`;
  return undefined;
}
