import { bytesOf, floatsOf, halvesOf } from '../common/bytes.js';
import { meanOfBfloat16, roundInPlace } from './bfloat16.js';
import { readMean, writtenMean, type MeanArray } from './mean-array.js';
import type { Operand } from './order-of-sums.js';
import type { Part, PartPool } from './part-pool.js';
import type { SumPlan } from './sum-plan.js';
import { PART_FLOATS } from './summing-memory.js';
import type { Cut } from './vector-cuts.js';

export interface VectorSumsOptions {
  /** Plan of this place for a part, by its number. */
  readonly planOf: (part: number) => SumPlan;
  readonly mean: MeanArray;
  readonly pool: PartPool;
  /** End of the gradient, with which the vectors start. */
  readonly gradientEnd: number;
  /** A part of what another place adds, as it is written. It stays as it is until this round is over. */
  readonly onOperand: (place: number, operand: Operand, cut: Cut, payload: Uint8Array) => void;
  /** A part of the mean is whole, and stays as it is until the array's next round. */
  readonly onMean: (cut: Cut, payload: Uint8Array) => void;
}

/**
 * Sums the shards' vectors in the order of the run, part by part, for any order of arrival: a run must not depend on
 * placement or speed. An operand that arrives early is kept. A part of the mean is complete before the other parts
 * arrive. If the run rounds, every operand and the mean are rounded, in every placement; the last sum is not.
 */
export class VectorSums {
  /** Operands that wait for the other operand of their sum, by part. */
  readonly #waiting = new Map<number, Map<Operand, Part>>();
  readonly #squares = new Map<number, number>();
  #missing: number;

  constructor(private readonly options: VectorSumsOptions) {
    this.#missing = options.mean.floats.length;
  }

  /** True if every part of the mean is here. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /**
   * Sum of squares of the gradient in each part of the mean that was computed here; not finite if an element is not.
   * See `normOf`.
   */
  get squares(): ReadonlyMap<number, number> {
    return this.#squares;
  }

  /**
   * A part of an operand that is of this place, or was sent to it, as it is written. All vectors must be cut alike. It is
   * not copied: it must stay as it is until this round is over.
   */
  add(operand: Operand, cut: Cut, payload: Uint8Array): void {
    this.#addPart(operand, cut, cut.format === 'fp32' ? floatsOf(payload) : halvesOf(payload));
  }

  /** A part of the mean that was made elsewhere. */
  addMean(cut: Cut, payload: Uint8Array): void {
    readMean(this.options.mean, cut, payload);
    this.#meanIs(cut);
  }

  #addPart(operand: Operand, cut: Cut, part: Part): void {
    const { planOf, onOperand } = this.options;
    const plan = planOf(cut.part);
    const place = plan.sendTo.get(operand);
    if (place !== undefined) {
      onOperand(place, operand, cut, bytesOf(part));
      return;
    }
    if (operand === plan.total) {
      this.#makeMean(cut, part, negativeZeros(part));
      return;
    }
    const sum = plan.sumOf.get(operand);
    if (!sum) throw new Error(`operand ${operand} is not added here`);
    const waiting = this.#waiting.get(cut.part) ?? new Map<Operand, Part>();
    this.#waiting.set(cut.part, waiting.set(operand, part));
    const left = waiting.get(sum.left);
    const right = waiting.get(sum.right);
    if (!left || !right) return;
    waiting.delete(sum.left);
    waiting.delete(sum.right);
    if (waiting.size === 0) this.#waiting.delete(cut.part);
    if (sum.operand === plan.total) this.#makeMean(cut, left, right);
    else this.#addPart(sum.operand, cut, this.options.pool.sum(left, right));
  }

  #makeMean(cut: Cut, left: Part, right: Part): void {
    const { pool } = this.options;
    this.#squares.set(cut.part, this.#fillMean(cut, left, right));
    pool.release(left);
    pool.release(right);
    this.#meanIs(cut);
  }

  /** Returns the sum of the squares of what this part has of the gradient. */
  #fillMean({ part, offset, length, format }: Cut, left: Part, right: Part): number {
    const { planOf, mean, gradientEnd } = this.options;
    const { shards } = planOf(part);
    const { memory, floats, halves } = mean;
    const into = floats.subarray(offset, offset + length);
    const rounded = halves.subarray(offset, offset + length);
    if (left instanceof Uint16Array && right instanceof Uint16Array)
      return meanOfBfloat16(memory, { floats: into, halves: rounded }, left, right, shards);
    if (!(left instanceof Float32Array && right instanceof Float32Array))
      throw new Error('cannot add parts in different wire formats');
    const counted = Math.min(Math.max(0, gradientEnd - offset), length);
    const squares = memory.mean(into, left, right, shards, counted);
    return format === 'fp32' ? squares : roundInPlace(memory, into, rounded);
  }

  #meanIs(cut: Cut): void {
    this.#missing -= cut.length;
    this.options.onMean(cut, writtenMean(this.options.mean, cut));
  }
}

/**
 * Euclidean norm of a mean gradient, from the squares of its parts, wherever they were made. They are added in the order
 * of the parts: whichever came last, the norm is the same.
 */
export function normOf(squares: ReadonlyMap<number, number>): number {
  const parts = [...squares].sort(([one], [other]) => one - other);
  return Math.sqrt(parts.reduce((sum, [, each]) => sum + each, 0));
}

/** Neutral operand for a single shard: adding -0 changes no number. */
function negativeZeros({ constructor, length }: Part): Part {
  return (constructor === Uint16Array ? NEGATIVE_ZEROS.halves : NEGATIVE_ZEROS.floats).subarray(0, length);
}

const NEGATIVE_ZEROS = {
  floats: new Float32Array(PART_FLOATS).fill(-0),
  halves: new Uint16Array(2 * PART_FLOATS).fill(0x8000),
};
