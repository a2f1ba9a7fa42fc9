import { rmSync, symlinkSync } from 'node:fs';
import { secretPath } from '../../../src/wire/address-secret.js';

/** Workers that connect to a proxy find the secret of the coordinator behind it, also that of a later one. */
export function shareSecret(upstream: string, proxy: string): () => void {
  const path = secretPath(proxy);
  rmSync(path, { force: true }); // A program that was killed may have left its own.
  try {
    symlinkSync(secretPath(upstream), path);
  } catch {
    // No coordinator of this user has ever had workers without keys: this one has none either.
  }
  return () => {
    rmSync(path, { force: true });
  };
}
