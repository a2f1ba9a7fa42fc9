#!/usr/bin/env node
import { lackOfOpenFiles } from '#open-files';
import { report } from '../common/console.js';

const lack = lackOfOpenFiles();
if (lack === undefined) {
  // Loaded only now: its modules are more files than a low limit allows.
  const { runWorkerProgram } = await import('./program.js');
  await runWorkerProgram(process.argv.slice(2));
} else {
  report(`worker: ${lack}\n`);
  process.exitCode = 2;
}
