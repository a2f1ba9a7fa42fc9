import { fileLimit } from '#open-files';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileReserve, openFiles } from '../../common/process/open-files.js';
import { EPOLLIN, loadSocketCalls, nameOfAddress, type SocketCalls } from './socket-calls.js';

/** Milliseconds between a full door's checks for room, besides the one after each end of a connection. */
const CHECK_INTERVAL = 1_000;

/** Milliseconds that ZeroMQ's I/O thread has to register a socket after `bind` has returned. */
const REGISTRATION_TIME = 2_000;

/** Milliseconds that ZeroMQ has to close a connection's descriptor after it has reported the end. */
const CLOSING_TIME = 10;

/** A descriptor that an epoll instance watches, its events and its data, in /proc/self/fdinfo. */
const WATCHED = /^tfd: +(\d+) +events: +([0-9a-f]+) +data: +([0-9a-f]+)/gm;

/** Registration of the listening socket in the epoll instance of ZeroMQ's I/O thread. */
interface Registration {
  readonly epoll: number;
  readonly descriptor: number;
  readonly data: bigint;
}

/**
 * Lets in one connection at a time, and only while there is room. By itself ZeroMQ accepts whatever comes, faster than
 * the event loop can follow, and aborts the process if an ipc connection comes and no descriptor is left. The listening
 * socket is therefore registered to be reported once; each report needs a permit from here. Connections without one wait
 * in the kernel's queue and cost this process nothing.
 */
export class Door {
  readonly #limit = fileLimit();
  readonly #reserve = fileReserve(this.#limit);
  readonly #timer: NodeJS.Timeout;
  #isPermitted = true;
  #isClosed = false;

  private constructor(
    readonly calls: SocketCalls,
    private readonly registration: Registration,
    private readonly name: string,
    private readonly places: number,
  ) {
    this.calls.reportOnce(registration.epoll, registration.descriptor, registration.data);
    this.#timer = setInterval(() => {
      this.#permit();
    }, CHECK_INTERVAL);
    this.#timer.unref();
  }

  /**
   * The door of the socket that listens at an address, with places for so many connections. Undefined if this system
   * offers no way to have one.
   */
  static async of(address: string, places: number): Promise<Door | undefined> {
    try {
      const calls = await loadSocketCalls();
      const name = nameOfAddress(address);
      const registration = await awaitRegistration(calls, name);
      return registration && new Door(calls, registration, name, places);
    } catch {
      return undefined;
    }
  }

  /** Descriptors of the connections that came in. */
  connections(): number[] {
    const { calls, name } = this;
    return openFiles().filter((file) => calls.localName(file) === name && !calls.isListening(file));
  }

  /** To be called for each connection that ZeroMQ accepted. */
  entered(): void {
    this.#isPermitted = false;
    this.#permit();
  }

  /** To be called if ZeroMQ failed to accept one: the next may try when the cause can have gone. */
  failed(): void {
    this.#isPermitted = false;
  }

  /** To be called for each connection that ended. */
  left(): void {
    setTimeout(() => {
      this.#permit();
    }, CLOSING_TIME).unref();
  }

  /** Must be called before the socket is closed: its descriptors may be others' afterwards. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  #permit(): void {
    if (this.#isPermitted || this.#isClosed || !this.#hasRoom()) return;
    const { epoll, descriptor, data } = this.registration;
    this.calls.reportOnce(epoll, descriptor, data);
    this.#isPermitted = true;
  }

  /** Counts the sockets themselves: counting the events, which come later, would let one too many in. */
  #hasRoom(): boolean {
    return this.connections().length < this.places && openFiles().length < this.#limit - this.#reserve;
  }
}

/** The I/O thread registers the socket some time after `bind` has returned. */
async function awaitRegistration(calls: SocketCalls, name: string): Promise<Registration | undefined> {
  const end = performance.now() + REGISTRATION_TIME;
  let registration = findRegistration(calls, name);
  while (!registration && performance.now() < end) {
    await sleep(1);
    registration = findRegistration(calls, name);
  }
  return registration;
}

/** Searches this process's epoll instances for the one that watches the socket that listens under this name. */
function findRegistration(calls: SocketCalls, name: string): Registration | undefined {
  for (const epoll of openFiles()) {
    for (const [, target, events, data] of epollInfo(epoll).matchAll(WATCHED)) {
      const descriptor = Number(target);
      // Added first, without events: what is set before the I/O thread asks for them would not last.
      if ((Number(`0x${events}`) & EPOLLIN) === 0) continue;
      if (calls.localName(descriptor) === name && calls.isListening(descriptor))
        return { epoll, descriptor, data: BigInt(`0x${data}`) };
    }
  }
  return undefined;
}

/** Returns the kernel's description of an epoll instance. Empty for any other file. */
function epollInfo(file: number): string {
  try {
    if (readlinkSync(`/proc/self/fd/${file}`) !== 'anon_inode:[eventpoll]') return '';
    return readFileSync(`/proc/self/fdinfo/${file}`, 'utf8');
  } catch {
    return ''; // The file was closed meanwhile.
  }
}
