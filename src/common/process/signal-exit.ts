/** As a shell reports a program that was ended by a signal: who started it can tell this from a fault, and from the end. */
export const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export type StopSignal = keyof typeof SIGNAL_EXIT_CODES;
