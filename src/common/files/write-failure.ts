import { codeOf, messageOf } from '../errors.js';

/** Explains a system error of a write and names a remedy. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full (ENOSPC); free space on it',
  EDQUOT: 'the disk quota is used up (EDQUOT); free space or raise the quota',
  EFBIG: 'the file would exceed the largest size allowed (EFBIG); raise the limit (ulimit -f)',
  EROFS: 'the file system is read-only (EROFS); mount it writable',
  EACCES: 'this user may not write there (EACCES); make the directory writable',
  EPERM: 'writing there is forbidden (EPERM); make the directory writable',
  EIO: 'the disk failed (EIO); check it, such as with dmesg',
  EMFILE: 'this process has too many files open (EMFILE); raise the limit (ulimit -n)',
  ENFILE: 'this machine has too many files open (ENFILE); close some programs',
};

/** A file that could not be written. The message names it, the fault and the remedy; `code` is the system error's. */
export class WriteFailure extends Error {
  override readonly name = 'WriteFailure';
  readonly code: string;

  constructor(path: string, code: string, cause: unknown) {
    super(`cannot write ${path}: ${MEANINGS[code] ?? messageOf(cause)}`, { cause });
    this.code = code;
  }
}

/** Returns the error to throw when writing `path` failed: a WriteFailure for system errors, others as they are. */
export function writeFailure(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof WriteFailure || !(error instanceof Error && 'syscall' in error))
    return error;
  return new WriteFailure(path, code, error);
}

/** Runs work that writes `path`. Node's own errors of an open file do not name it. */
export async function writing<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw writeFailure(path, error);
  }
}
