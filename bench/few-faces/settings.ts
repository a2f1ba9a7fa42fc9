/** A row of the table, and what is typed for it. */
export interface Setting {
  readonly name: string;
  readonly args: readonly string[];
}

const EMA = ['--ema', '0.999'];
const MIRROR = ['--mirror'];
const AUGMENT = ['--augment'];
const R1 = ['--r1', '1'];

/** Each option alone, and together. */
export const SETTINGS: readonly Setting[] = [
  { name: 'none', args: [] },
  { name: 'ema', args: EMA },
  { name: 'mirror', args: MIRROR },
  { name: 'augment', args: AUGMENT },
  { name: 'r1', args: R1 },
  { name: 'ema mirror augment', args: [...EMA, ...MIRROR, ...AUGMENT] },
  { name: 'ema mirror augment r1', args: [...EMA, ...MIRROR, ...AUGMENT, ...R1] },
];
