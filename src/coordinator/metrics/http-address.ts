import { UserError } from '../../common/errors.js';

export interface HttpAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** 127.0.0.1:9464, localhost:0, [::1]:9464. */
export function parseHttpAddress(text: string): HttpAddress {
  const match = /^(?:\[(?<v6>[\da-f:.]+(?:%[\w.-]+)?)\]|(?<name>[\w.-]+)):(?<port>\d{1,5})$/i.exec(text);
  const host = match?.groups?.['v6'] ?? match?.groups?.['name'];
  const port = Number(match?.groups?.['port']);
  if (host === undefined || port > 65_535) {
    throw new UserError(`--http ${text} is not HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464`);
  }
  return { host, port };
}

/** As it stands in a URL: an IPv6 address in brackets. */
export function formatHttpAddress({ host, port }: HttpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
