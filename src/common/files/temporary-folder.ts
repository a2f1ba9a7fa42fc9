import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UserError } from '../errors.js';

/** Throws a UserError where the system's folder for temporary files cannot be written to. */
export function requireTemporaryFolder(folder = tmpdir()): void {
  try {
    rmdirSync(mkdtempSync(join(folder, 'dcgan-probe-')));
  } catch (error) {
    throw new UserError(
      `cannot write to the temporary folder ${folder} (${messageOf(error)}); set TMPDIR to a folder that this user can write to`,
      { cause: error },
    );
  }
}
