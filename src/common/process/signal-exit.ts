/**
 * Exit codes of a program ended by a signal, as a shell reports them: distinct from those of a fault and of success.
 */
export const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export type StopSignal = keyof typeof SIGNAL_EXIT_CODES;
