import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Bytes of a socket's path that every system takes. */
const MOST_PATH_BYTES = 100;

/** Errors of a file system that has no sockets or no hard links. */
const UNSUPPORTED = ['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EINVAL', 'EXDEV', 'EMLINK'];

/**
 * Does the work while no other process works under the lock of the folder, and calls onWait once if it has to wait for
 * one. The folder is made if it is missing. On a file system without sockets there is no lock.
 *
 * The lock is a socket in the folder, where only those can listen who can write there. The system stops its listening when
 * its holder dies, however that happens. Those who wait connect to it; the connection closes when the holder is done.
 */
export async function withLock(folder, work, onWait = () => {}) {
  const path = placeOf(folder);
  let waited = false;
  for (;;) {
    const { server, isUnsupported } = await acquire(path);
    if (isUnsupported) return work({ descriptor: undefined });
    if (server) {
      try {
        return await work({ descriptor: descriptorOf(server) });
      } finally {
        await release(server, path);
      }
    }
    if (!waited) onWait();
    waited = true;
    await connectionEnd(path);
    await pause(20);
  }
}

/** Where many users can write, each has a lock of his own: nobody has to wait for a stranger. */
function placeOf(folder) {
  if (process.platform === 'win32') {
    const key = createHash('sha256').update(folder).digest('hex').slice(0, 24);
    return `\\\\.\\pipe\\dcgan-trainer-${key}`;
  }
  mkdirSync(folder, { recursive: true });
  const isShared = (statSync(folder).mode & 0o022) !== 0;
  return join(folder, isShared ? `.set-up-${process.geteuid()}.lock` : '.set-up.lock');
}

/** The listening server that has the lock; neither that nor isUnsupported where another process has it. */
async function acquire(path) {
  if (process.platform === 'win32') return { server: await listen(path, ['EADDRINUSE', 'EACCES']) };
  // Listens before it is found under the lock's name, so that whoever finds it knows that its holder lives.
  const own = `${path}.${randomBytes(8).toString('hex')}`;
  let server;
  let isHeld = false;
  try {
    server = await listen(own);
    while (!isHeld) {
      isHeld = place(own, path);
      if (isHeld) break;
      const holder = holderOf(path);
      if (holder === undefined) continue; // It was released meanwhile.
      if (await isAlive(path)) return {};
      isHeld = await succeed(path, holder, own);
    }
    return { server };
  } catch (error) {
    if (UNSUPPORTED.includes(error.code)) return { isUnsupported: true };
    throw error;
  } finally {
    rmSync(own, { force: true });
    if (!isHeld && server) await close(server);
  }
}

/** Puts the socket where there is none. Says false where there is one. */
function place(own, path) {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Replaces the socket of a holder that is gone. Of several who want to, one has the lock on succeeding that very holder,
 * and looks again: whoever comes late finds the successor.
 */
async function succeed(path, gone, own) {
  const succession = `${path}.after-${gone}`;
  const { server } = await acquire(succession);
  if (!server) {
    await connectionEnd(succession);
    return false;
  }
  try {
    if (holderOf(path) !== gone) return false;
    renameSync(own, path);
    return true;
  } finally {
    await release(server, succession);
  }
}

/** Names the socket that has the lock, as no other one will be; undefined where there is none. */
function holderOf(path) {
  const socket = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!socket) return undefined;
  const trusted = [0, process.geteuid(), statSync(dirname(path)).uid];
  if (!trusted.includes(Number(socket.uid)))
    throw Object.assign(
      new Error(
        `${path} belongs to user ${socket.uid}, expected user ${process.geteuid()}; remove it, or use another folder`,
      ),
      { code: 'EACCES' },
    );
  return `${socket.ino}-${socket.mtimeNs}`;
}

/** Whether somebody listens. */
async function isAlive(path) {
  const socket = connect(path);
  const code = await new Promise((resolve) => {
    socket.once('connect', () => resolve()).once('error', (error) => resolve(error.code));
  });
  socket.destroy();
  return !['ECONNREFUSED', 'ENOENT'].includes(code);
}

/** Resolves when the holder is gone or done; another may have the lock by then. */
function connectionEnd(path) {
  const socket = connect(path);
  socket.resume();
  return new Promise((resolve) => {
    socket.on('error', () => {}).on('close', () => resolve());
  });
}

function connect(path) {
  return atShortPath(path, (short) => net.connect(short));
}

/** The listening server; undefined for one of the errors that say that another has the name. */
function listen(path, taken = []) {
  const waiting = new Set();
  const server = net.createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => {}).on('close', () => waiting.delete(socket));
  });
  server.waiting = waiting;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (taken.includes(error.code) ? resolve(undefined) : reject(error)));
    atShortPath(path, (short) => server.listen(short, () => resolve(server)));
  });
}

/** Does something with a socket's path at once: from its folder by its name alone where the whole path is too long. */
function atShortPath(path, use) {
  if (process.platform === 'win32' || Buffer.byteLength(path) <= MOST_PATH_BYTES) return use(path);
  const before = process.cwd();
  process.chdir(dirname(path));
  try {
    return use(basename(path));
  } finally {
    process.chdir(before);
  }
}

/**
 * The file descriptor of the socket, to be handed down to child processes: as long as one of them lives, the
 * lock stays taken. Node shows it nowhere else; where it is missing, the lock merely ends with its holder.
 */
function descriptorOf(server) {
  const descriptor = server._handle?.fd;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}

/** Frees the name first: whoever comes next need not judge a socket on which nobody listens. */
function release(server, path) {
  if (process.platform !== 'win32') rmSync(path, { force: true });
  return close(server);
}

function close(server) {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of server.waiting) socket.destroy();
  });
}
