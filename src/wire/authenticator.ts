import { Context, Reply } from 'zeromq';
import { answerZap } from './zap.js';

/** Address of ZAP requests in the context of the socket. */
const ZAP_ADDRESS = 'inproc://zeromq.zap.01';

/** Domain of the requests. This context has no other. */
const DOMAIN = 'dcgan-trainer';

/**
 * Says which keys may connect to the sockets of a context. A context has one authenticator at most, so it comes with a
 * context of its own, and several listeners in a process are independent of each other.
 */
export class Authenticator {
  readonly context = new Context();
  readonly #socket = new Reply({ context: this.context, linger: 0 });

  private constructor(private readonly admitted: ReadonlySet<string>) {}

  static async start(admitted: ReadonlySet<string>): Promise<Authenticator> {
    const authenticator = new Authenticator(admitted);
    await authenticator.#socket.bind(ZAP_ADDRESS);
    // An answer may be under way when it is closed: from then on nobody can connect.
    authenticator.#answer().catch(() => undefined);
    return authenticator;
  }

  /** Options of the protected socket: without an authenticator, it refuses all connections. */
  get socketOptions() {
    return { context: this.context, zapDomain: DOMAIN, zapEnforceDomain: true } as const;
  }

  close(): void {
    this.#socket.close();
  }

  async #answer(): Promise<void> {
    for await (const request of this.#socket)
      await this.#socket.send(answerZap(request, DOMAIN, this.admitted));
  }
}
