export interface Neighbour {
  /** Index of the candidate. */
  readonly index: number;
  /** Squared. */
  readonly distance: number;
}

/** The nearest candidates that have come so far, nearest first. */
export class Nearest {
  readonly found: Neighbour[] = [];

  constructor(private readonly most: number) {}

  offer(index: number, distance: number): void {
    if (this.found.length === this.most && distance >= this.found[this.most - 1].distance) return;
    const place = this.found.findIndex((each) => distance < each.distance);
    this.found.splice(place < 0 ? this.found.length : place, 0, { index, distance });
    if (this.found.length > this.most) this.found.pop();
  }
}

/** Squared Euclidean distance of the vectors of this length that begin at these places. */
export function squaredDistance(
  one: ArrayLike<number>,
  atOne: number,
  other: ArrayLike<number>,
  atOther: number,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (one[atOne + i] - other[atOther + i]) ** 2;
  return sum;
}

/** Finds the nearest candidate of each point. Both: [count, length] */
export function nearestOfEach(points: Float32Array, candidates: Float32Array, length: number): Neighbour[] {
  return Array.from({ length: points.length / length }, (_, point) => {
    const nearest = new Nearest(1);
    for (let index = 0; index < candidates.length / length; index++)
      nearest.offer(index, squaredDistance(points, point * length, candidates, index * length, length));
    return nearest.found[0];
  });
}
