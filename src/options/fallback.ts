/** Actions for a run without workers that expects none. */
export const FALLBACKS = ['single-node', 'wait', 'stop'] as const;
export type Fallback = (typeof FALLBACKS)[number];
