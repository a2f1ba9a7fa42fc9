/**
 * Something the user can put right: a wrong option, an unusable folder, a taken port.
 * The message is one line that says what is wrong and what to do. The program ends with exit code 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The user ended the program where there was nothing to finish first. Exit code 130, as after Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** The code that Node gives a system error ('ENOENT', 'EADDRINUSE', ...), if it is one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
