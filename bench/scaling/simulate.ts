import type { Operand } from '../../src/averaging/order-of-sums.js';
import type { Cut } from '../../src/averaging/vector-cuts.js';
import type { Way } from '../averaging/rows.js';
import { EventQueue } from './event-queue.js';
import { plansOf, type Plans } from './plans.js';
import { Resource } from './resource.js';

/** Seconds; those of a process's main thread, but for `io`. */
export interface Costs {
  /** Of a byte on the wire, at each end: of ZeroMQ's one thread, which copies, encrypts and decrypts. */
  readonly io: number;
  /** Of each message besides its bytes, at each end. */
  readonly perMessage: number;
  /** Of a byte on the wire. */
  readonly send: number;
  readonly receive: number;
  /** Of a byte of the result, in float32. */
  readonly sum: number;
  readonly copy: number;
}

export interface Network {
  /** Of one place, each way at once. */
  readonly bytesPerSecond: number;
  /** From the end of a place's link to that of another, seconds. */
  readonly latency: number;
  /** All places share so many cores; otherwise each has one for its main thread and one for ZeroMQ's. */
  readonly sharedCores?: number;
}

export interface RoundOptions {
  readonly way: Way;
  readonly workers: number;
  /** How the vector is cut and written. */
  readonly cuts: readonly Cut[];
  readonly costs: Costs;
  readonly network: Network;
}

/** A part of an operand, or of the mean. */
interface Piece {
  readonly content: Operand | 'mean';
  readonly part: number;
}

const FLOAT = 4; // bytes of what is summed

/**
 * Seconds until every worker has the mean, from when all have their vectors: each chunk goes through the cores and links
 * of the places that the trainer's own plan names, and waits where they are taken. Orders and reports are three messages
 * without a payload.
 */
export function roundSeconds(options: RoundOptions): number {
  if (options.workers === 1) return 0;
  return new Round(options).run() + 3 * (options.network.latency + 2 * options.costs.perMessage);
}

class Round {
  readonly #events = new EventQueue();
  readonly #plans: Plans;
  readonly #places: readonly {
    cpu: Resource;
    io: Resource;
    out: Resource;
    in: Resource;
    waiting: Set<number>;
  }[];

  constructor(private readonly options: RoundOptions) {
    const { way, workers, network } = options;
    this.#plans = plansOf(way, workers);
    const shared = network.sharedCores === undefined ? undefined : new Resource(network.sharedCores);
    const places = workers + (way === 'star' ? 1 : 0);
    this.#places = Array.from({ length: places }, () => ({
      ...{ cpu: shared ?? new Resource(), io: shared ?? new Resource() },
      ...{ out: shared ?? new Resource(), in: shared ?? new Resource() },
      waiting: new Set(),
    }));
  }

  run(): number {
    for (let worker = 0; worker < this.options.workers; worker++)
      for (const part of this.options.cuts.keys())
        this.#events.add(0, (now) => {
          this.#handle(worker, { content: worker, part }, 0, now);
        });
    return this.#events.run();
  }

  /** All that a place makes of a part that is there, at one go: it takes `received` seconds, and what is added and sent. */
  #handle(place: number, { content, part }: Piece, received: number, now: number): void {
    const { costs } = this.options;
    const { meanTo, sendTo, total } = this.#plans(place, part);
    const bytes = this.options.cuts[part].length * FLOAT;
    const sent: { readonly after: number; readonly to: number; readonly piece: Piece }[] = [];
    let spent = received;
    let has = content;
    if (content === 'mean') spent += bytes * costs.copy;
    else
      for (let sum = this.#sumWith(place, content, part); sum !== undefined;) {
        spent += bytes * costs.sum;
        has = sum === total ? 'mean' : sum;
        sum = has === 'mean' ? undefined : this.#sumWith(place, has, part);
      }
    const to = has === 'mean' ? undefined : sendTo.get(has);
    for (const other of has === 'mean' ? meanTo : to === undefined ? [] : [to]) {
      spent += costs.perMessage + this.#bytesOf({ content: has, part }) * costs.send;
      sent.push({ after: spent, to: other, piece: { content: has, part } });
    }
    const begun = this.#places[place].cpu.begin(now, spent);
    // The round is over when the last of this is.
    this.#events.add(begun + spent, () => undefined);
    for (const { after, to: other, piece } of sent)
      this.#events.add(begun + after, (at) => {
        this.#transfer(place, other, piece, at);
      });
  }

  /** The sum that a part completes; where the other operand is not there yet, it waits for that. */
  #sumWith(place: number, operand: Operand, part: number): Operand | undefined {
    const sum = this.#plans(place, part).sumOf.get(operand);
    if (!sum) return undefined;
    const { waiting } = this.#places[place];
    const key = (one: Operand): number => one * this.options.cuts.length + part;
    if (waiting.delete(key(sum.left === operand ? sum.right : sum.left))) return sum.operand;
    waiting.add(key(operand));
    return undefined;
  }

  /** On the wire. */
  #bytesOf({ part }: Piece): number {
    return this.options.cuts[part].bytes;
  }

  #transfer(from: number, to: number, piece: Piece, now: number): void {
    const { costs, network } = this.options;
    const bytes = this.#bytesOf(piece);
    const wire = bytes / network.bytesPerSecond;
    const io = bytes * costs.io;
    const [sender, receiver] = [this.#places[from], this.#places[to]];
    this.#events.add(sender.io.begin(now, io) + io, (ready) => {
      // Its first byte arrives before its last one leaves.
      this.#events.add(sender.out.begin(ready, wire) + network.latency, (arriving) => {
        this.#events.add(receiver.in.begin(arriving, wire) + wire, (arrived) => {
          this.#events.add(receiver.io.begin(arrived, io) + io, (here) => {
            this.#handle(to, piece, costs.perMessage + bytes * costs.receive, here);
          });
        });
      });
    });
  }
}
