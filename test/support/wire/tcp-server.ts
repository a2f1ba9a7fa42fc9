import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Listens on a free port of the loopback, and ends every connection that it got when it is closed. */
export class TcpServer {
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(): Promise<TcpServer> {
    // An end that is done sending may still receive.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const opened = new TcpServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return opened;
  }

  /** As ZeroMQ names it. */
  get address(): string {
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  onConnection(accept: (socket: Socket) => void): void {
    this.server.on('connection', accept);
  }

  /** Twice does no harm. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, 'close');
  }
}
