import { fileLimit } from '#open-files';
import { readFileSync, readlinkSync } from 'node:fs';
import { fileReserve, openFiles } from '../../common/open-files.js';
import { loadSocketCalls, nameOfAddress, type SocketCalls } from './socket-calls.js';

/** Milliseconds after which a full door looks for room again, besides when a connection ends. */
const LOOK_AGAIN = 1_000;

/** Where ZeroMQ's I/O thread waits for connections: an epoll instance, the listening socket, and what is registered for it. */
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
  #connections = 0;
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
      this.#connections = this.connections().length;
      this.#permit();
    }, LOOK_AGAIN);
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
      const registration = findRegistration(calls, name);
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
    this.#connections++;
    this.#isPermitted = false;
    this.#permit();
  }

  /** To be called if ZeroMQ failed to accept one: the next may try when the cause can have gone. */
  failed(): void {
    this.#isPermitted = false;
  }

  /** To be called for each connection that ended. */
  left(): void {
    this.#connections = Math.max(0, this.#connections - 1);
    this.#permit();
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

  #hasRoom(): boolean {
    return this.#connections < this.places && openFiles().length < this.#limit - this.#reserve;
  }
}

/** Looks through this process's epoll instances for the one that watches the socket that listens under this name. */
function findRegistration(calls: SocketCalls, name: string): Registration | undefined {
  for (const epoll of openFiles()) {
    if (!isEpoll(epoll)) continue;
    const info = readFileSync(`/proc/self/fdinfo/${epoll}`, 'utf8');
    for (const [, target, data] of info.matchAll(/^tfd: +(\d+) .*?data: +([0-9a-f]+)/gm)) {
      const descriptor = Number(target);
      if (calls.localName(descriptor) === name && calls.isListening(descriptor))
        return { epoll, descriptor, data: BigInt(`0x${data}`) };
    }
  }
  return undefined;
}

function isEpoll(file: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${file}`) === 'anon_inode:[eventpoll]';
  } catch {
    return false; // It was closed meanwhile.
  }
}
