import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { randomStream } from '../../../src/common/random.js';
import type { BodyKind, Content, Message, PhaseName } from '../../../src/wire/message.js';

export type Direction = 'toCoordinator' | 'toWorker';

/**
 * drop: never arrives. duplicate: arrives twice. reorder: arrives after the next one of its direction. corrupt: one
 * bit of one frame is another. delay: arrives late, and all behind it. cut: the connection breaks, and the message
 * with it.
 */
export type FaultAction = 'drop' | 'duplicate' | 'reorder' | 'corrupt' | 'delay' | 'cut';

/** What is to happen to messages. Of several rules that fit one message, the first that fires counts. */
export interface FaultRule {
  readonly action: FaultAction;
  /** Both, where none is given. */
  readonly direction?: Direction;
  /** Any, also what is no message, where none is given. */
  readonly kind?: BodyKind;
  /** Of chunks, requests and snapshots; any where none is given. */
  readonly content?: Content;
  /** Any, also none, where none is given. */
  readonly phase?: PhaseName;
  /** Of this step or a later one; any where none is given. */
  readonly fromStep?: number;
  /** So many messages that fit pass unharmed first; none where it is not given. */
  readonly after?: number;
  /** It fires so often at most; without an end where it is not given. */
  readonly times?: number;
  /** 0 to 1; 1 where none is given. */
  readonly probability?: number;
  /** Of a delay. */
  readonly milliseconds?: number;
}

/** Decides what happens to each message: by counting, and by a seed's random numbers. */
export class FaultPlan {
  readonly #rules;

  constructor(rules: readonly FaultRule[], seed: number) {
    this.#rules = rules.map((rule, index) => ({
      rule,
      stream: randomStream(seed, 'fault', index),
      matched: 0,
      fired: 0,
    }));
  }

  /** The rule that this message falls to, if any. */
  next(direction: Direction, message: Message | undefined): FaultRule | undefined {
    for (const state of this.#rules) {
      const { rule, stream } = state;
      if (!fits(rule, direction, message)) continue;
      state.matched++;
      if (state.matched <= (rule.after ?? 0) || state.fired >= (rule.times ?? Infinity)) continue;
      if (uniformFloat64(stream) >= (rule.probability ?? 1)) continue;
      state.fired++;
      return rule;
    }
    return undefined;
  }
}

function fits(rule: FaultRule, at: Direction, message: Message | undefined): boolean {
  const { direction, kind, content, phase, fromStep } = rule;
  if (direction !== undefined && direction !== at) return false;
  if (kind !== undefined && kind !== message?.kind) return false;
  if (phase !== undefined && phase !== message?.phase) return false;
  if (fromStep !== undefined && !(message && message.step >= fromStep)) return false;
  return content === undefined || (message !== undefined && contentOf(message) === content);
}

function contentOf({ body }: Message): Content | undefined {
  return 'content' in body ? body.content : undefined;
}
