import type { Operand } from './order-of-sums.js';
import type { PartPool } from './part-pool.js';
import type { SumPlan } from './sum-plan.js';
import type { MeanArray } from './mean-array.js';
import { PART_FLOATS } from './summing-memory.js';

export interface VectorSumsOptions {
  readonly plan: SumPlan;
  readonly mean: MeanArray;
  readonly pool: PartPool;
  /** Where in the vectors the gradient ends, which they begin with. */
  readonly gradientEnd: number;
  /** A part of what another place adds. It stays as it is until this round is over. */
  readonly onOperand: (place: number, operand: Operand, offset: number, part: Float32Array) => void;
  /** A part of the mean is whole, and stays as it is until the array's next round. */
  readonly onMean: (offset: number, part: Float32Array) => void;
}

/**
 * Sums the shards' vectors in the order of the run, part by part, whatever the order in which their parts come in: a run
 * must not depend on who computed what, or how fast. What comes before its turn is kept until then. A part of the mean is
 * done before the other parts are here.
 */
export class VectorSums {
  /** By offset, what waits for the other operand of its sum. */
  readonly #waiting = new Map<number, Map<Operand, Float32Array>>();
  /** By offset: of each part of the mean that was made here, the sum of the squares of what it has of the gradient. */
  readonly #squares = new Map<number, number>();
  #missing: number;

  constructor(private readonly options: VectorSumsOptions) {
    this.#missing = options.mean.floats.length;
  }

  /** Whether every part of the mean is here. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Euclidean norm of the mean gradient, where the mean was made here; not finite where any element is not. */
  get gradientNorm(): number | undefined {
    if (this.options.plan.total === undefined || !this.complete) return undefined;
    // In the order of their places: whichever came last, the norm is the same.
    const parts = [...this.#squares].sort(([one], [other]) => one - other);
    return Math.sqrt(parts.reduce((sum, [, squares]) => sum + squares, 0));
  }

  /**
   * A part of an operand that is of this place, or was sent to it. All vectors must be cut into the same parts, or be
   * given whole. `part` is not copied: it must stay as it is until this round is over.
   */
  add(operand: Operand, offset: number, part: Float32Array): void {
    for (let from = 0; from < part.length; from += PART_FLOATS)
      this.#addPart(operand, offset + from, part.subarray(from, from + PART_FLOATS));
  }

  /** A part of the mean that was made elsewhere. */
  addMean(offset: number, part: Float32Array): void {
    this.options.mean.floats.set(part, offset);
    this.#meanIs(offset, part.length);
  }

  #addPart(operand: Operand, offset: number, part: Float32Array): void {
    const { plan, onOperand } = this.options;
    const place = plan.sendTo.get(operand);
    if (place !== undefined) {
      onOperand(place, operand, offset, part);
      return;
    }
    if (operand === plan.total) {
      this.#makeMean(offset, part, NEGATIVE_ZEROS.subarray(0, part.length));
      return;
    }
    const sum = plan.sumOf.get(operand);
    if (!sum) throw new Error(`operand ${operand} is not added here`);
    const waiting = this.#waiting.get(offset) ?? new Map<Operand, Float32Array>();
    this.#waiting.set(offset, waiting.set(operand, part));
    const left = waiting.get(sum.left);
    const right = waiting.get(sum.right);
    if (!left || !right) return;
    waiting.delete(sum.left);
    waiting.delete(sum.right);
    if (waiting.size === 0) this.#waiting.delete(offset);
    if (sum.operand === plan.total) this.#makeMean(offset, left, right);
    else this.#addPart(sum.operand, offset, this.options.pool.sum(left, right));
  }

  #makeMean(offset: number, left: Float32Array, right: Float32Array): void {
    const { plan, mean, pool, gradientEnd } = this.options;
    const into = mean.floats.subarray(offset, offset + left.length);
    const counted = Math.min(Math.max(0, gradientEnd - offset), into.length);
    this.#squares.set(offset, mean.memory.mean(into, left, right, plan.shards, counted));
    pool.release(left);
    pool.release(right);
    this.#meanIs(offset, into.length);
  }

  #meanIs(offset: number, length: number): void {
    this.#missing -= length;
    this.options.onMean(offset, this.options.mean.floats.subarray(offset, offset + length));
  }
}

/** What a lone shard is added to: they leave every number as it is. */
const NEGATIVE_ZEROS = new Float32Array(PART_FLOATS).fill(-0);
