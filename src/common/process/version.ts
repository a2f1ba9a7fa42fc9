import { createRequire } from 'node:module';

/** This project's version, from package.json (beside src/ and beside dist/). */
export const PROJECT_VERSION = readVersion();

function readVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('../../../../package.json') as { version: string }).version;
}
