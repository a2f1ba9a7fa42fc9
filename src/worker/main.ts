#!/usr/bin/env node
import { lackOfOpenFiles } from '#open-files';

const lack = lackOfOpenFiles();
if (lack === undefined) {
  // Loaded only now: its modules are more files than a low limit allows.
  const { runWorker } = await import('./program.js');
  await runWorker(process.argv.slice(2));
} else {
  process.stderr.write(`worker: ${lack}\n`);
  process.exitCode = 2;
}
