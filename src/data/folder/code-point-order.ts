/**
 * Orders strings as Python sorts them: by code points. JavaScript's own order is by UTF-16 units, which puts the
 * surrogates of an emoji before U+E000 .. U+FFFF.
 */
export function byCodePoint(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const difference = a.charCodeAt(at) - b.charCodeAt(at);
    if (difference !== 0) return rank(a, at) - rank(b, at);
  }
  return a.length - b.length;
}

/** A pair of surrogates ranks above all other units. A lone one, which stands for a byte (see byte-names), does not. */
function rank(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  const isPaired = unit < 0xdc00 ? isLow(text.charCodeAt(at + 1)) : isHigh(text.charCodeAt(at - 1));
  return isPaired ? unit + 0x10000 : unit;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
