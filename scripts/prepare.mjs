import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from './compile.mjs';
import { heedHangups } from './hangup.mjs';
import { withLock } from './lock.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { lackOfOpenFiles } from './open-files.mjs';
import { packages } from './packages.mjs';
import { root, runTool, StepFailure } from './tool.mjs';

const steps = [packages, build];

/**
 * Makes what a clone lacks before it can run: packages, build, engine. Says what it does, and nothing if
 * nothing is missing. `retryEngine`: try again now what failed a short while ago.
 */
export async function prepare({ engine = true, retryEngine = false } = {}) {
  heedHangups();
  const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  checkNodeVersion(engines.node);
  const lack = lackOfOpenFiles();
  if (lack !== undefined) throw new StepFailure(lack, 2);
  if (await isAnyMissing())
    await withLock(await realpath(root), makeMissing, sayWaiting).catch(explainRefusal);
  if (engine) await installEngine(retryEngine);
}

async function isAnyMissing() {
  for (const step of steps) if (await step.isMissing()) return true;
  return false;
}

async function makeMissing(lock) {
  for (const step of steps) {
    if (!(await step.isMissing())) continue;
    console.error(`set-up: ${step.title}`);
    await step.make(lock);
  }
}

/** A clone of another user runs as it is, once its owner has set it up. */
function explainRefusal(error) {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
  throw new StepFailure(
    `cannot set up ${root}: it cannot be written to (${error.code}); run npm run setup as its owner, or use a clone of your own`,
    2,
  );
}

function sayWaiting() {
  console.error('set-up: another set-up is at work in this folder; waiting for it');
}

/** The engine is of the machine, not of the clone: it looks after itself, with a lock of its own. */
async function installEngine(retry) {
  const options = retry ? ['--retry'] : [];
  await runTool('installing the engine', process.execPath, [
    '--enable-source-maps',
    'dist/src/engine/install.js',
    ...options,
  ]);
}
