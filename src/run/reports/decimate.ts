export interface Point {
  readonly index: number;
  readonly value: number;
}

/**
 * At most `most` (4 or more) points that draw the same curve at the width of a screen: the first, the last, and
 * the lowest and highest of each equal part between them, so that no spike is lost. NaN is left out.
 */
export function decimate(values: readonly number[], most: number): Point[] {
  if (values.length <= most) return finitePoints(values, 0, values.length);
  const inner = values.length - 2;
  const parts = Math.floor((most - 2) / 2);
  const kept = finitePoints(values, 0, 1);
  for (let part = 0; part < parts; part++) {
    const start = 1 + Math.floor((part * inner) / parts);
    const end = 1 + Math.floor(((part + 1) * inner) / parts);
    kept.push(...extremes(finitePoints(values, start, end)));
  }
  return [...kept, ...finitePoints(values, values.length - 1, values.length)];
}

function finitePoints(values: readonly number[], start: number, end: number): Point[] {
  return values
    .slice(start, end)
    .map((value, offset) => ({ index: start + offset, value }))
    .filter(({ value }) => Number.isFinite(value));
}

/** The lowest and the highest point in the order in which they come; one if they are the same. */
function extremes(points: readonly Point[]): Point[] {
  if (points.length === 0) return [];
  const lowest = points.reduce((a, b) => (b.value < a.value ? b : a));
  const highest = points.reduce((a, b) => (b.value > a.value ? b : a));
  if (lowest === highest) return [lowest];
  return lowest.index < highest.index ? [lowest, highest] : [highest, lowest];
}
