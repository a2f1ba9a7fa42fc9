import { readFileSync } from 'node:fs';

/** Files that a program of this project needs to open at once: its modules, sockets and images. */
export const LEAST_OPEN_FILES = 256;

/** Returns the most files that this process may open at once; Infinity if the system does not tell (other than Linux). */
export function fileLimit(limits = readLimits()) {
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
}

/**
 * Says why the limit of open files is too low for a program, undefined where it is not. Node has raised it as far as it
 * may be raised, and its loader would end in a stack trace.
 */
export function lackOfOpenFiles(limits = readLimits()) {
  const limit = fileLimit(limits);
  if (limit >= LEAST_OPEN_FILES) return undefined;
  return `this process may open ${limit} files, expected at least ${LEAST_OPEN_FILES}; raise the limit (ulimit -n, LimitNOFILE)`;
}

function readLimits() {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
