import { readablePath } from './byte-names.js';

/** An image may be one that the user wants: one in a format that is not read, say. */
export const LEFT_OUT_UNITS = ['image', 'file', 'folder', 'link'] as const;
export type LeftOutUnit = (typeof LEFT_OUT_UNITS)[number];

/** Entries of an image folder that are not used, all for the same reason. */
export interface LeftOutKind {
  readonly unit: LeftOutUnit;
  /** Fits behind a number: "HEIC", "hidden". */
  readonly what: string;
  readonly count: number;
  /** The path of one of them, below the root. */
  readonly example: string;
  /** The system's words, if reading failed. */
  readonly fault?: string;
}

/** Counts what is not used of an image folder, and keeps one example of each kind. */
export class LeftOut {
  readonly #kinds = new Map<string, LeftOutKind>();

  constructor(...counted: readonly (readonly LeftOutKind[])[]) {
    for (const kind of counted.flat()) this.#add(kind);
  }

  add(unit: LeftOutUnit, what: string, example: string, fault?: string): void {
    this.#add({ unit, what, count: 1, example, ...(fault !== undefined && { fault }) });
  }

  get kinds(): readonly LeftOutKind[] {
    return [...this.#kinds.values()];
  }

  #add(kind: LeftOutKind): void {
    const key = `${kind.unit} ${kind.what}`;
    const known = this.#kinds.get(key);
    this.#kinds.set(key, known ? { ...known, count: known.count + kind.count } : kind);
  }
}

/** Returns "left out 20 images and 1 file: 20 HEIC (people/IMG_1.HEIC), 1 hidden (.note)". */
export function describeLeftOut(kinds: readonly LeftOutKind[], root?: string): string {
  const totals = LEFT_OUT_UNITS.flatMap((unit) => {
    const total = kinds.reduce((sum, kind) => sum + (kind.unit === unit ? kind.count : 0), 0);
    return total === 0 ? [] : [`${total} ${unit}${total === 1 ? '' : 's'}`];
  });
  const total = [...totals.slice(0, -2), totals.slice(-2).join(' and ')].join(', ');
  return `left out ${total}${root === undefined ? '' : ` of ${root}`}: ${kinds.map(describeKind).join(', ')}`;
}

function describeKind({ what, count, example, fault }: LeftOutKind): string {
  return `${count} ${what} (${readablePath(example)}${fault === undefined ? '' : `: ${fault}`})`;
}
