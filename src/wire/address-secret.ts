import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { messageOf, UserError } from '../common/errors.js';
import { newSecret, Secret } from '../common/secret.js';

/**
 * Stores the secret for clients that connect to an address of this machine without keys, in a file that only this
 * user can read: a client that knows it is a process of the same user. Each start of a coordinator creates a new one.
 */
export class AddressSecret {
  readonly secret: Secret;

  private constructor(
    private readonly path: string,
    private readonly text: string,
  ) {
    this.secret = new Secret(text);
    process.once('exit', this.withdraw);
  }

  /** Throws a UserError if the file cannot be written. */
  static offer(address: string): AddressSecret {
    const path = secretPath(address);
    const text = newSecret();
    const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
      renameSync(temporary, path);
    } catch (error) {
      throw new UserError(
        `cannot write the secret for workers without keys, ${path}: ${messageOf(error)}; use --keys DIR`,
        { cause: error },
      );
    }
    return new AddressSecret(path, text);
  }

  /** The secret of the coordinator at this address; empty if it has none for this user. */
  static read(address: string): string {
    try {
      return readFileSync(secretPath(address), 'utf8');
    } catch {
      return '';
    }
  }

  /** Removes the file, unless another coordinator has written its own. */
  readonly withdraw = (): void => {
    process.off('exit', this.withdraw);
    try {
      if (readFileSync(this.path, 'utf8') === this.text) rmSync(this.path);
    } catch {
      // It is gone.
    }
  };
}

/** The file for an address, as either end names it. Machines may share a home folder, and each has its own loopback. */
export function secretPath(address: string): string {
  const [, transport, place] = /^(\w+):\/\/(.*)$/.exec(address) ?? ['', '', address];
  const isFile = transport === 'ipc' && !place.startsWith('@');
  const named = isFile ? resolve(place) : place.replace(/^localhost:/i, '127.0.0.1:');
  const name = createHash('sha256').update(`${machine()} ${transport} ${named}`).digest('hex');
  return join(homedir(), '.local', 'state', 'dcgan-trainer', 'coordinators', name.slice(0, 32));
}

/** Tells a running machine from all others, by whatever name its containers call it. */
function machine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  } catch {
    return hostname();
  }
}
