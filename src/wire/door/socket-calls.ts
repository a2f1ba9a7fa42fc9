/** Calls on this process's sockets that neither Node nor ZeroMQ offers. Linux on little-endian machines of 64 bits. */
export interface SocketCalls {
  /** The socket's own end: a port for TCP, a path for ipc (with @ first if it is abstract). Undefined for anything else. */
  localName(descriptor: number): string | undefined;
  isListening(descriptor: number): boolean;
  /** A number that no other socket of this machine ever has. */
  cookie(descriptor: number): bigint;
  /** Bytes sent so far over TCP; undefined if the kernel does not count them. */
  sentBytes(descriptor: number): number | undefined;
  /** The process at the other end of an ipc connection, as this process's namespace numbers it; 0 if it has no number. */
  peerProcess(descriptor: number): number | undefined;
  /** Ends a connection both ways. Its owner sees the end and closes it. */
  hangUp(descriptor: number): void;
  /** Lets an epoll instance report the next readable event of a descriptor, and none after that. */
  reportOnce(epoll: number, descriptor: number, data: bigint): void;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_ACCEPTCONN = 30;
const SO_COOKIE = 57;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SHUT_RDWR = 2;
const EPOLL_CTL_MOD = 3;
export const EPOLLIN = 1;
const EPOLLONESHOT = 0x4000_0000;

/** Offsets in `struct tcp_info`. */
const NOT_SENT = 144;
const BYTES_SENT = 200;
const BYTES_SENT_AGAIN = 208;
const TCP_INFO_BYTES = 216;

/** The length of `struct sockaddr_storage`. */
const ADDRESS_BYTES = 128;

let loaded: Promise<SocketCalls> | undefined;

/** Rejects if this system has no such calls. */
export function loadSocketCalls(): Promise<SocketCalls> {
  return (loaded ??= load());
}

async function load(): Promise<SocketCalls> {
  if (process.platform !== 'linux') throw new Error(`${process.platform} has no epoll`);
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const call = (declaration: string): ((...values: unknown[]) => number) =>
    library.func(declaration) as (...values: unknown[]) => number;
  const getsockname = call('int getsockname(int fd, uint8_t *address, uint8_t *length)');
  const getsockopt = call('int getsockopt(int fd, int level, int name, uint8_t *value, uint8_t *length)');
  const shutdown = call('int shutdown(int fd, int how)');
  const epollCtl = call('int epoll_ctl(int epoll, int operation, int fd, uint8_t *event)');

  const lengthOf = (bytes: number): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes);
    return length;
  };
  /** The option's value, as long as the kernel made it. Undefined if the socket has none. */
  const option = (descriptor: number, level: number, name: number, bytes: number): Buffer | undefined => {
    const value = Buffer.alloc(bytes);
    const length = lengthOf(bytes);
    if (getsockopt(descriptor, level, name, value, length) !== 0) return undefined;
    return value.subarray(0, length.readUInt32LE());
  };
  return {
    localName: (descriptor) => {
      const address = Buffer.alloc(ADDRESS_BYTES);
      const length = lengthOf(ADDRESS_BYTES);
      if (getsockname(descriptor, address, length) !== 0) return undefined;
      return nameIn(address.subarray(0, length.readUInt32LE()));
    },
    isListening: (descriptor) => option(descriptor, SOL_SOCKET, SO_ACCEPTCONN, 4)?.readUInt32LE() === 1,
    cookie: (descriptor) => option(descriptor, SOL_SOCKET, SO_COOKIE, 8)?.readBigUInt64LE() ?? 0n,
    sentBytes: (descriptor) => {
      const info = option(descriptor, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES);
      if (info?.length !== TCP_INFO_BYTES) return undefined;
      const sent = info.readBigUInt64LE(BYTES_SENT) - info.readBigUInt64LE(BYTES_SENT_AGAIN);
      return Number(sent) + info.readUInt32LE(NOT_SENT);
    },
    peerProcess: (descriptor) => option(descriptor, SOL_SOCKET, SO_PEERCRED, 12)?.readInt32LE(),
    hangUp: (descriptor) => {
      // A connection that ended by itself in the meantime needs nothing.
      shutdown(descriptor, SHUT_RDWR);
    },
    reportOnce: (epoll, descriptor, data) => {
      // struct epoll_event is packed on x86-64 only.
      const at = process.arch === 'x64' ? 4 : 8;
      const event = Buffer.alloc(at + 8);
      event.writeUInt32LE(EPOLLIN | EPOLLONESHOT);
      event.writeBigUInt64LE(data, at);
      if (epollCtl(epoll, EPOLL_CTL_MOD, descriptor, event) !== 0)
        throw new Error(`epoll_ctl failed: error ${koffi.errno()}`);
    },
  };
}

function nameIn(address: Buffer): string | undefined {
  const family = address.readUInt16LE();
  if (family === AF_INET || family === AF_INET6) return String(address.readUInt16BE(2));
  if (family !== AF_UNIX || address.length <= 2) return undefined;
  const path = address.subarray(2);
  if (path[0] === 0) return `@${path.toString('utf8', 1)}`;
  return path.toString('utf8', 0, path.indexOf(0) < 0 ? path.length : path.indexOf(0));
}

/** The name that sockets listening at a ZeroMQ address have, as `localName` returns it. */
export function nameOfAddress(address: string): string {
  return address.startsWith('tcp:')
    ? address.slice(address.lastIndexOf(':') + 1)
    : address.slice('ipc://'.length);
}
