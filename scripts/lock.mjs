import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Does the work while no other process on this machine works under the same name, and calls onWait once
 * if it has to wait for one.
 *
 * The lock is a listening socket: the system frees it when its holder dies, however that happens, so there
 * is no stale lock to judge. Those who wait connect to it; the connection closes when the holder is done.
 */
export async function withLock(name, work, onWait = () => {}) {
  const address = addressOf(name);
  let waited = false;
  for (;;) {
    const server = await listen(address);
    if (server) {
      try {
        return await work({ descriptor: descriptorOf(server) });
      } finally {
        await close(server);
      }
    }
    if (!waited) onWait();
    waited = true;
    await waitForHolder(address);
  }
}

/** Linux has socket names without a file, Windows named pipes; elsewhere it is a file that may be left behind. */
function addressOf(name, platform = process.platform) {
  const key = `dcgan-trainer-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
  if (platform === 'linux') return `\0${key}`;
  if (platform === 'win32') return `\\\\.\\pipe\\${key}`;
  return join(tmpdir(), `${key}.sock`);
}

/** The listening server, or undefined where another process has the name. */
function listen(address) {
  const waiting = new Set();
  const server = net.createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => {}).on('close', () => waiting.delete(socket));
  });
  server.waiting = waiting;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });
}

/** Resolves when the holder is gone or done; it may be another that has the lock by then. */
async function waitForHolder(address) {
  const code = await new Promise((resolve) => {
    const socket = net.connect(address);
    let failure;
    socket.on('error', (error) => (failure = error.code)).on('close', () => resolve(failure));
    socket.resume();
  });
  // A socket file that nobody listens on was left by a holder that died.
  if (code === 'ECONNREFUSED' && !address.startsWith('\0')) rmSync(address, { force: true });
  await pause(20);
}

/**
 * The file descriptor of the socket, to be handed down to child processes: as long as one of them lives, the
 * name stays taken. Node shows it nowhere else; where it is missing, the lock merely ends with its holder.
 */
function descriptorOf(server) {
  const descriptor = server._handle?.fd;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}

function close(server) {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of server.waiting) socket.destroy();
  });
}
