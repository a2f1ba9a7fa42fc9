import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Takes a connection out of those that may have to make room. */
export type HoldConnection = (socket: Socket) => void;

/**
 * Limits connections: a new one replaces the one that has been idle longest, so a client that opens many cannot lock
 * others out. Streams count as active; their number is limited elsewhere.
 */
export function limitConnections(server: Server, most: number): HoldConnection {
  const byLastUse = new Set<Socket>();
  const held = new WeakSet<Socket>();
  const use = (socket: Socket): void => {
    byLastUse.delete(socket);
    byLastUse.add(socket);
  };
  server.on('connection', (socket: Socket) => {
    use(socket);
    socket.once('close', () => byLastUse.delete(socket));
    for (const idle of byLastUse) {
      if (byLastUse.size <= most) break;
      if (held.has(idle)) continue;
      byLastUse.delete(idle);
      idle.destroy();
    }
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    use(socket);
  });
  return (socket) => held.add(socket);
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Answers the requests of a connection one after the other: a pipelined request waits until the answer before it was
 * written to the socket. What still waits when the connection closes is never begun, so it holds nothing.
 */
export function oneRequestAtATime(
  answer: Answer,
): (request: IncomingMessage, response: ServerResponse) => void {
  const last = new WeakMap<Socket, Promise<void>>();
  return (request, response) => {
    const { socket } = request;
    const turn = async (): Promise<void> => {
      // Node gives a response its socket when the one before is done. A closed connection gives it none.
      if (socket.destroyed || response.socket === null) return;
      const closed = new Promise((resolve) => response.once('close', resolve));
      await answer(request, response);
      await closed;
      await nextTurn();
    };
    last.set(socket, (last.get(socket) ?? Promise.resolve()).then(turn));
  };
}

/**
 * Bounds the memory of answers that their clients do not read: beyond `most` bytes, the connection whose answer has
 * waited longest is closed.
 */
export class UnreadAnswers {
  readonly #waiting = new Map<ServerResponse, number>();
  #bytes = 0;

  constructor(private readonly most: number) {}

  add(response: ServerResponse, bytes: number): void {
    this.#waiting.set(response, bytes);
    this.#bytes += bytes;
    response.once('close', () => {
      this.#remove(response);
    });
    for (const oldest of this.#waiting.keys()) {
      if (this.#bytes <= this.most || oldest === response) break;
      this.#remove(oldest);
      oldest.destroy();
    }
  }

  #remove(response: ServerResponse): void {
    this.#bytes -= this.#waiting.get(response) ?? 0;
    this.#waiting.delete(response);
  }
}
