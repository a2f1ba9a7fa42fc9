import { printable } from '#printable';

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

/**
 * The message of whatever was thrown, as one line that does nothing to a terminal. Libraries write several lines; in a
 * UserError a line end is part of a name.
 */
export function messageOf(error: unknown): string {
  if (error instanceof UserError) return printable(error.message);
  let text = error instanceof Error ? error.message : String(error);
  for (const path of pathsOf(error)) text = text.replaceAll(path, () => printable(path));
  return printable(text.replaceAll(/\s*\n\s*/g, ' ').trim());
}

/** Paths that Node puts into the message of a system error as they are. */
function pathsOf(error: unknown): string[] {
  const { path, dest } = (error instanceof Error ? error : {}) as Partial<Record<string, unknown>>;
  return [path, dest].filter((each) => typeof each === 'string' && each !== '') as string[];
}

/** The code that Node gives a system error ('ENOENT', 'EADDRINUSE', ...), if it is one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
