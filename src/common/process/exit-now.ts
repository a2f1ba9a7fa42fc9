/** Milliseconds that what is still open may keep a process that has failed. */
const LINGER = 3_000;

/**
 * Ends the process soon, if it does not end by itself: threads, sockets and children that a failure has left open would
 * keep it for ever.
 */
export function exitSoon(code: number): void {
  setTimeout(() => void exitNow(code), LINGER).unref();
}

/**
 * Ends the process without waiting for its threads. process.exit() waits until each of them returns from native code, which
 * may take a whole step, or never happen.
 */
export async function exitNow(code: number): Promise<never> {
  try {
    const { default: koffi } = await import('koffi');
    koffi.load(null).func('void _exit(int status)')(code);
  } catch {
    // There may be no memory left to load it. The exit code is lost then, and the end is not.
  }
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
}
