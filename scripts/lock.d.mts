export interface Lock {
  /** For the stdio of child processes: the lock stays taken while one of them lives. */
  readonly descriptor: number | undefined;
}

export function withLock<T>(
  folder: string,
  work: (lock: Lock) => Promise<T>,
  onWait?: () => void,
): Promise<T>;
