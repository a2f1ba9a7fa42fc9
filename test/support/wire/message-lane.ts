import { setTimeout as pause } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { Dealer } from 'zeromq';
import { decode, type Frames } from '../../../src/wire/codec.js';
import type { Message } from '../../../src/wire/message.js';
import { Outbox } from '../../../src/wire/outbox.js';
import { Rejection } from '../../../src/wire/rejection.js';
import type { Direction, FaultPlan, FaultRule } from './fault-plan.js';
import { flipBit } from './flip-bit.js';

export type DealerOptions = NonNullable<ConstructorParameters<typeof Dealer>[0]>;

/** Messages that may wait on either side of a lane, each way. What comes faster waits at its sender. */
const QUEUE = 16;

/** How long a message that is to come after the next one waits for it, in milliseconds. */
const REORDER_TIME = 1_000;

/** Quiet for this long, a lane whose one end is gone has passed on everything; it is waited for so long at most. */
const QUIET_TIME = 100;
const LAST_TIME = 2_000;

export interface LaneParts {
  /** The coordinator's address. */
  readonly upstream: string;
  readonly plan: FaultPlan;
  /** Draws the bit that is corrupted. */
  readonly stream: RandomGenerator;
  readonly onFault: (rule: FaultRule, direction: Direction, message: Message | undefined) => void;
  /** The connection is to be broken at once. */
  readonly onCut: () => void;
  /** The coordinator's end is gone. */
  readonly onUpstreamGone: () => void;
  /** Security and the like, of the socket that is the coordinator to a worker, and of the one that is the worker. */
  readonly front: DealerOptions;
  readonly back: DealerOptions;
}

/** The way of one worker's messages: from a socket that its connection ends in to one of its own at the coordinator. */
export class MessageLane {
  readonly #front: Dealer;
  readonly #back: Dealer;
  readonly #outboxes = { toCoordinator: new Outbox(), toWorker: new Outbox() };
  readonly #held = new Map<Direction, { readonly frames: Frames; readonly timer: NodeJS.Timeout }>();
  readonly #closing = new AbortController();
  #passing = 0;
  #lastPassed = performance.now();

  private constructor(private readonly parts: LaneParts) {
    const queues = { sendHighWaterMark: QUEUE, receiveHighWaterMark: QUEUE, linger: 0 };
    this.#front = new Dealer({ ...queues, ...parts.front });
    this.#back = new Dealer({ ...queues, ...parts.back });
    this.#back.events.on('disconnect', parts.onUpstreamGone);
  }

  static async open(parts: LaneParts): Promise<MessageLane> {
    const lane = new MessageLane(parts);
    await lane.#front.bind('tcp://127.0.0.1:*');
    lane.#back.connect(parts.upstream);
    void lane.#pump('toCoordinator', lane.#front);
    void lane.#pump('toWorker', lane.#back);
    return lane;
  }

  /** Where the worker's bytes have to go. */
  get port(): number {
    return Number(this.#front.lastEndpoint?.split(':').at(-1));
  }

  /** Passes on what has come already, then closes. For an end that went by itself. */
  async finish(): Promise<void> {
    const end = performance.now() + LAST_TIME;
    while (performance.now() < Math.min(end, this.#passing > 0 ? end : this.#lastPassed + QUIET_TIME))
      await pause(10);
    if (this.#closing.signal.aborted) return;
    this.#front.linger = LAST_TIME;
    this.#back.linger = LAST_TIME;
    this.close();
  }

  /** Passes nothing on any more. */
  stop(): void {
    this.#closing.abort();
    for (const { timer } of this.#held.values()) clearTimeout(timer);
  }

  /**
   * Closes both sockets; what they hold is lost. Not while the connections that they end are being broken: libzmq aborts
   * the process where a connection fails in a message of several frames whose socket is closed without a linger.
   */
  close(): void {
    this.stop();
    this.#front.close();
    this.#back.close();
  }

  async #pump(direction: Direction, from: Dealer): Promise<void> {
    for await (const frames of from) {
      this.#passing++;
      await this.#pass(direction, frames).catch(() => undefined);
      this.#passing--;
    }
  }

  async #pass(direction: Direction, frames: Frames): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const message = read(frames);
    const rule = this.parts.plan.next(direction, message);
    if (rule) this.parts.onFault(rule, direction, message);
    await this.#act(rule, direction, frames);
    this.#lastPassed = performance.now();
  }

  async #act(rule: FaultRule | undefined, direction: Direction, frames: Frames): Promise<void> {
    switch (rule?.action) {
      case undefined:
        return this.#sendThenHeld(direction, frames);
      case 'drop':
        return;
      case 'duplicate':
        await this.#sendThenHeld(direction, frames);
        return this.#send(direction, frames);
      case 'reorder':
        await this.#release(direction);
        this.#hold(direction, frames);
        return;
      case 'corrupt':
        return this.#sendThenHeld(direction, this.#corrupted(frames));
      case 'delay':
        await pause(rule.milliseconds ?? 0, undefined, { signal: this.#closing.signal });
        return this.#sendThenHeld(direction, frames);
      case 'cut':
        this.parts.onCut();
        return;
    }
  }

  async #sendThenHeld(direction: Direction, frames: Frames): Promise<void> {
    await this.#send(direction, frames);
    await this.#release(direction);
  }

  #hold(direction: Direction, frames: Frames): void {
    const timer = setTimeout(() => {
      this.#release(direction).catch(() => undefined);
    }, REORDER_TIME);
    this.#held.set(direction, { frames, timer });
  }

  async #release(direction: Direction): Promise<void> {
    const held = this.#held.get(direction);
    if (!held) return;
    clearTimeout(held.timer);
    this.#held.delete(direction);
    await this.#send(direction, held.frames);
  }

  #send(direction: Direction, frames: Frames): Promise<void> {
    const to = direction === 'toWorker' ? this.#front : this.#back;
    return this.#outboxes[direction].add(() => to.send([...frames]));
  }

  #corrupted(frames: Frames): Frames {
    const places = [...frames.keys()].filter((index) => frames[index].length > 0);
    if (places.length === 0) return frames;
    const place = places[uniformInt(this.parts.stream, 0, places.length - 1)];
    return frames.with(place, flipBit(frames[place], this.parts.stream));
  }
}

function read([, ...frames]: Frames): Message | undefined {
  try {
    return decode(frames);
  } catch (error) {
    if (error instanceof Rejection) return undefined;
    throw error;
  }
}
