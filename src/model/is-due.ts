import type { StepRange } from './local-steps.js';

/** Returns whether one of these steps is a multiple of `every`, which is 0 for never. */
export function isDue({ first, last }: StepRange, every: number): boolean {
  return every > 0 && Math.floor(last / every) > Math.floor((first - 1) / every);
}
