// Run by the set-up after each build: installs the native engine where it is missing. `--retry`: also where it
// failed a short while ago. Its exit code is 0 without one, too: wasm is an engine.
import { heedHangups } from '#hangup';
import { cacheFolder } from '../common/files/cache-folder.js';
import { outliveConsole } from '../common/console.js';
import { UserError } from '../common/errors.js';
import { say } from '../common/log.js';
import { provisionEngine } from './provision/index.js';

outliveConsole();
heedHangups();
try {
  await provisionEngine({
    cache: cacheFolder(),
    log: say,
    force: process.argv.includes('--retry'),
  });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(`engine: ${error.message}`);
  process.exitCode = 2;
}
