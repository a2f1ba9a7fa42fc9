// Run by the set-up after each build: installs the native engine where it is missing. `--retry`: also where it
// failed a short while ago. Its exit code is 0 without one, too: wasm is an engine.
import { cacheFolder } from '../common/cache-folder.js';
import { UserError } from '../common/errors.js';
import { provisionEngine } from './provision/index.js';

try {
  await provisionEngine({
    cache: cacheFolder(),
    log: console.error,
    force: process.argv.includes('--retry'),
  });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`engine: ${error.message}`);
  process.exitCode = 2;
}
