import { UserError } from './errors.js';
import { isLoopback } from './loopback.js';
import type { Secret } from './secret.js';

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

/** Requires a token that is hard to guess and fits into a header. */
const TOKEN = /^[\w.~+/-]{16,512}=*$/;

/** Throws a UserError for an address that other machines can reach, if there is no good token to read by. */
export function requireToken(address: HttpAddress, token: Secret | undefined): void {
  if (token !== undefined && !token.isLike(TOKEN))
    throw new UserError(
      'the token of --http-token, --http-token-file or DCGAN_HTTP_TOKEN must have 16 to 512 letters, digits or - . _ ~ + /: take what `openssl rand -hex 32` prints',
    );
  if (token === undefined && !isLoopback(address.host))
    throw new UserError(
      `--http ${formatHttpAddress(address)} is beyond this machine and needs a token: set DCGAN_HTTP_TOKEN, or give --http-token-file FILE`,
    );
}

/** Formats an address as in a URL: IPv6 in brackets. */
export function formatHttpAddress({ host, port }: HttpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
