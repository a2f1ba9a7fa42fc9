/** Debian's "nobody". */
const NOBODY = 65534;

/**
 * Calls `work` without root's right to read everything. A user who is not root stays who he is. Only for work that is
 * done when it returns: the whole process changes its user.
 */
export function asAnotherUser<Result>(work: () => Result): Result {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}
