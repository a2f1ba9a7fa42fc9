import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone, seen from dist/. */
export const CLONE = fileURLToPath(new URL('../../../../', import.meta.url));
export const MONITORING = join(CLONE, 'deploy/monitoring');

export function readText(...names: readonly string[]): string {
  return readFileSync(join(CLONE, ...names), 'utf8');
}
