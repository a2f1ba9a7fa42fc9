import { UserError } from '../common/errors.js';
import { isLoopback } from '../common/loopback.js';

/** Whether it begins as an address that we use. ZeroMQ knows more transports, which nobody here has looked at. */
export function isAddress(address: string): boolean {
  return /^(tcp|ipc|inproc):\/\//.test(address);
}

/** Throws a UserError for an address that other machines can reach, where there are no keys to tell them apart. */
export function requireKeys(
  address: string,
  keys: unknown,
  option: '--listen' | '--coordinator' | '--peer-port',
): void {
  if (keys !== undefined || !isAddress(address) || staysOnMachine(address)) return;
  throw new UserError(
    `${option} ${address} is beyond this machine and needs keys: make them with \`coordinator keys DIR\`, then give --keys DIR`,
  );
}

/** The whole address is read: tcp://127.0.0.1:0;10.0.0.1:5555 is one of another machine. */
function staysOnMachine(address: string): boolean {
  if (!address.startsWith('tcp://')) return true;
  const groups = /^tcp:\/\/(?:\[(?<v6>[^\]]+)\]|(?<name>[^:;/[\]]+)):(?:\d+|\*)$/.exec(address)?.groups;
  const host = groups?.['v6'] ?? groups?.['name'];
  return host !== undefined && isLoopback(host);
}
