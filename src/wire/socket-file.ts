import { randomBytes } from 'node:crypto';
import { lstatSync, unlinkSync } from 'node:fs';
import { link, lstat, rename, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { codeOf } from '../common/errors.js';

const ENDING_BYTES = 4;

/** The longest path that a process can connect to, in bytes. */
const MAX_PATH_BYTES = 107;

/**
 * The file of an ipc socket, which replaces nothing but the socket of a process that has ended. ZeroMQ removes whatever
 * has the name that it binds to, so it binds to a new name in the same folder, and a hard link gives the socket its own.
 */
export class SocketFile {
  readonly #new: string;
  #inode: bigint | undefined;

  private constructor(private readonly path: string) {
    this.#new = newNameBeside(path);
  }

  /** Undefined for an address that has no file of its own choosing. */
  static of(address: string): SocketFile | undefined {
    const path = /^ipc:\/\/(?<path>[^@*].*)$/s.exec(address)?.groups?.['path'];
    return path === undefined ? undefined : new SocketFile(path);
  }

  /** Address to bind. */
  get bindAddress(): string {
    return `ipc://${this.#new}`;
  }

  /** Gives the socket its name, once ZeroMQ listens. Rejects if the name is taken. */
  async publish(): Promise<void> {
    try {
      if (Buffer.byteLength(this.path) > MAX_PATH_BYTES)
        throw Object.assign(new Error('the path is too long'), { code: 'ENAMETOOLONG' });
      const { ino } = await lstat(this.#new, { bigint: true });
      await link(this.#new, this.path).catch(async (error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error;
        await this.#removeDead();
        await link(this.#new, this.path);
      });
      this.#inode = ino;
    } catch (error) {
      throw codeOf(error) === 'EEXIST' ? taken() : error;
    } finally {
      await unlink(this.#new);
    }
  }

  /** Removes the file, unless another has its name by now. */
  remove(): void {
    try {
      if (lstatSync(this.path, { bigint: true }).ino === this.#inode) unlinkSync(this.path);
    } catch {
      // Somebody else removed it, or its folder.
    }
  }

  /** Rejects if the name belongs to anything but the socket of a process that has ended. */
  async #removeDead(): Promise<void> {
    if (!(await lstat(this.path)).isSocket())
      throw new Error('there is a file of this name that is not a socket');
    if (await isAlive(this.path)) throw taken();
    // Another process may do the same at this moment: what is removed must be what was looked at.
    const aside = newNameBeside(this.path);
    await rename(this.path, aside);
    const wasReplaced = await isAlive(aside);
    if (wasReplaced) await link(aside, this.path);
    await unlink(aside);
    if (wasReplaced) throw taken();
  }
}

function newNameBeside(path: string): string {
  return join(dirname(path), `.${randomBytes(ENDING_BYTES).toString('hex')}`);
}

function taken(): Error {
  return Object.assign(new Error('it is taken'), { code: 'EADDRINUSE' });
}

/** Returns whether a process listens at this socket. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => {
      resolve(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? ''));
    });
  });
}
