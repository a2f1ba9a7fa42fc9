/** The bits of a float32. */
export function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}

/** The number that a bfloat16 is. */
export function floatOf(half: number): number {
  return new Float32Array(Uint32Array.of(half * 2 ** 16).buffer)[0];
}

/**
 * A finite number as bfloat16, from the definition: the multiple of its unit in the last place that is nearest, the even
 * one of two. In float64, which holds every quotient here exactly.
 */
export function bfloat16(value: number): number {
  const magnitude = Math.abs(value);
  // Seven bits behind the first; what is smaller than the smallest normal number has the unit of that.
  const exponent = Math.max(-126, magnitude === 0 ? -126 : (bitsOf(magnitude) >>> 23) - 127);
  const unit = 2 ** (exponent - 7);
  const units = magnitude / unit;
  const below = Math.floor(units);
  const isUp = units - below > 0.5 || (units - below === 0.5 && below % 2 === 1);
  const rounded = (below + (isUp ? 1 : 0)) * unit;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  return sign + (bitsOf(rounded) >>> 16);
}
