import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** Decisions by a random stream. */
export class Choice {
  constructor(private readonly stream: RandomGenerator) {}

  /** A whole number of `least` to `most`, both included. */
  number(least: number, most: number): number {
    return uniformInt(this.stream, least, most);
  }

  /** Whether something that happens so often, 0 to 1, happens now. */
  chance(probability: number): boolean {
    return uniformFloat64(this.stream) < probability;
  }

  of<T>(values: readonly T[]): T {
    return values[this.number(0, values.length - 1)];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.number(0, 255));
  }
}
