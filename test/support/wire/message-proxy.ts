import { connect, type Socket } from 'node:net';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { randomStream } from '../../../src/common/random.js';
import type { BodyKind } from '../../../src/wire/message.js';
import { FaultPlan, type Direction, type FaultAction, type FaultRule } from './fault-plan.js';
import { MessageLane, type DealerOptions } from './message-lane.js';
import { shareSecret } from './share-secret.js';
import { TcpServer } from './tcp-server.js';

/** A fault that the proxy made. */
export interface Fault {
  readonly rule: FaultRule;
  readonly action: FaultAction;
  readonly direction: Direction;
  /** What it was made of; undefined where that was no message. */
  readonly kind: BodyKind | undefined;
  /** Which connection, counted from 0 in the order in which they came. */
  readonly connection: number;
}

/** How long the ends of a connection that is broken may take to notice, in milliseconds. */
const BREAKING_TIME = 50;

export interface MessageProxyOptions {
  readonly rules?: readonly FaultRule[];
  readonly seed?: number;
  /** Security and the like, of the sockets that are the coordinator to workers, and of those that are workers to it. */
  readonly front?: DealerOptions;
  readonly back?: DealerOptions;
}

/**
 * Stands between workers and a coordinator, passes whole messages both ways in order, and harms those that its rules
 * name. Each worker's connection ends in sockets of its own, so that it can be broken without touching the others'.
 */
export class MessageProxy {
  /** What was done so far. */
  readonly faults: Fault[] = [];
  readonly #plan: FaultPlan;
  readonly #stream: RandomGenerator;
  /** How to break each connection that stands. */
  readonly #cuts = new Set<() => void>();
  #connections = 0;

  private constructor(
    private readonly upstream: string,
    private readonly options: MessageProxyOptions,
    private readonly server: TcpServer,
    private readonly unshare: () => void,
  ) {
    const { rules = [], seed = 0 } = options;
    this.#plan = new FaultPlan(rules, seed);
    this.#stream = randomStream(seed, 'corrupted bit');
  }

  /** Listens on a free port of the loopback; `upstream` is the coordinator's address. */
  static async open(upstream: string, options: MessageProxyOptions = {}): Promise<MessageProxy> {
    const server = await TcpServer.open();
    const unshare = shareSecret(upstream, server.address);
    const proxy = new MessageProxy(upstream, options, server, unshare);
    server.onConnection((socket) => void proxy.#accept(socket));
    return proxy;
  }

  /** What to give a worker as its --coordinator. */
  get address(): string {
    return this.server.address;
  }

  /** How many connections came so far. */
  get connections(): number {
    return this.#connections;
  }

  /** How often this was done. */
  count(action: FaultAction): number {
    return this.faults.filter((fault) => fault.action === action).length;
  }

  /** Breaks every connection that stands. New ones are welcome. */
  cut(): void {
    for (const cut of this.#cuts) cut();
  }

  async close(): Promise<void> {
    this.cut();
    await this.server.close();
    this.unshare();
  }

  async #accept(worker: Socket): Promise<void> {
    const connection = this.#connections++;
    const { front = {}, back = {} } = this.options;
    const lane = await MessageLane.open({
      ...{ upstream: this.upstream, plan: this.#plan, stream: this.#stream, front, back },
      onFault: (rule, direction, message) => {
        this.faults.push({ rule, action: rule.action, direction, kind: message?.kind, connection });
      },
      onCut: () => {
        cut();
      },
      onUpstreamGone: () => {
        void finish();
      },
    });
    const inner = connect({ port: lane.port, host: '127.0.0.1', noDelay: true });
    let isCut = false;
    const cut = (): void => {
      isCut = true;
      this.#cuts.delete(cut);
      lane.stop();
      worker.destroy();
      inner.destroy();
      setTimeout(() => {
        lane.close();
      }, BREAKING_TIME);
    };
    const finish = async (): Promise<void> => {
      if (isCut) return;
      await lane.finish();
      this.#cuts.delete(cut);
    };
    this.#cuts.add(cut);
    for (const socket of [worker, inner])
      socket.on('error', () => undefined).on('close', () => void finish());
    if (worker.destroyed) return finish();
    worker.pipe(inner).pipe(worker);
  }
}
