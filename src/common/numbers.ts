import { InvalidArgumentError } from 'commander';

/** Whole numbers are decimal digits: no sign, no exponent, no 0x. Undefined for anything else, and beyond 2^53 - 1. */
export function parseWhole(text: string): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** A decimal number, plain or in scientific notation: 0.0002, -1, .5, 2e-4. Undefined for anything else. */
export function parseDecimal(text: string): number | undefined {
  const value = Number(text);
  return /^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(value) ? value : undefined;
}

/** A parser for an option's value: a whole number of at least `least`, and at most `most`. */
export function whole(least: number, most?: number): (text: string) => number {
  return (text) => {
    const value = parseWhole(text);
    if (value !== undefined && value >= least && value <= (most ?? Infinity)) return value;
    const range = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

/** A parser for an option's value: a number for which `isValid` holds, such as one "from 0 to 1". */
export function decimal(
  range = '',
  isValid: (value: number) => boolean = () => true,
): (text: string) => number {
  return (text) => {
    const value = parseDecimal(text);
    if (value !== undefined && isValid(value)) return value;
    throw new InvalidArgumentError(`It must be a number${range && ` ${range}`}.`);
  };
}
