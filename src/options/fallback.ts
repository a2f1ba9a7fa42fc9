/** What becomes of a run that no worker is left of, and none is coming. */
export const FALLBACKS = ['single-node', 'wait', 'stop'] as const;
export type Fallback = (typeof FALLBACKS)[number];
