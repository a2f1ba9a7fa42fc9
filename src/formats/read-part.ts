import { open, stat } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '../common/errors.js';

/** Bytes of a file from `start` on. Throws a UserError if it has fewer, or cannot be read. */
export async function readPart(path: string, start: number, length: number): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, start);
      if (bytesRead < length) throw new UserError(`${path} is cut off`);
      return bytes;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readable(path, error);
  }
}

/** undefined: there is nothing of that name. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw readable(path, error);
  }
}

function readable(path: string, error: unknown): UserError {
  return error instanceof UserError ? error : new UserError(`${path} cannot be read (${messageOf(error)})`);
}
