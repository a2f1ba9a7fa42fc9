import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The longest path of a socket, in bytes: macOS has room for 103 and an end, Linux for 107. */
const LONGEST_PATH = 103;
/** Characters that mkdtemp and `address` add. */
const ADDED = '/dcgan-XXXXXX/12345678'.length;

/**
 * A folder for ipc sockets that only processes of this user (and root) can enter: mode 0700. Such sockets take half the
 * time of tcp.
 */
export class SocketFolder {
  private constructor(readonly path: string) {
    process.once('exit', this.remove);
  }

  /** Undefined if this system has no ipc sockets or no folder for them: then tcp takes their place. */
  static make(): SocketFolder | undefined {
    if (process.platform !== 'linux') return undefined;
    for (const parent of new Set([resolve(tmpdir()), '/tmp', '/dev/shm'].filter(isPossible)))
      try {
        return new SocketFolder(mkdtempSync(join(parent, 'dcgan-')));
      } catch {
        // It is missing, full or not writable.
      }
    return undefined;
  }

  /** A new address in a folder of this kind. */
  static addressIn(path: string): string {
    return `ipc://${join(path, randomBytes(4).toString('hex'))}`;
  }

  readonly remove = (): void => {
    process.off('exit', this.remove);
    rmSync(this.path, { recursive: true, force: true });
  };
}

/** The path fits into an address of a socket, and into a message. */
function isPossible(parent: string): boolean {
  return Buffer.byteLength(parent) + ADDED <= LONGEST_PATH && /^[\x21-\x7e]+$/.test(parent);
}
