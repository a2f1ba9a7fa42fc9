/** matplotlib's. */
export const DOTS_PER_INCH = 100;

/** A size in points, as fonts and lines have it, in dots. */
export function points(size: number): number {
  return (size * DOTS_PER_INCH) / 72;
}
