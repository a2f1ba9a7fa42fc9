import { getSystemErrorMap } from 'node:util';

/** The process lacks something then; the file may be sound. */
const OF_THE_PROCESS: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];

/**
 * Returns why a file or folder cannot be read, in the system's words ("permission denied"). Undefined for an error that
 * says nothing about the file.
 */
export function faultOfFile(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return undefined;
  const [code, words] = getSystemErrorMap().get(error.errno) ?? [undefined, error.message];
  return code !== undefined && OF_THE_PROCESS.includes(code) ? undefined : words;
}
