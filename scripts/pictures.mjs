// npm run pictures: makes the pictures of the documents again, by the run that `npm start` is.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMONSTRATION } from '../dist/src/cli/demo.js';
import { orExit, root, runTool } from './tool.mjs';

const program = join(root, 'dist/src/cli/main.js');

/** What the run leaves, and what the documents call it. */
const pictures = {
  'samples/step-001240.png': 'drawn-faces.png',
  'samples.webp': 'step-by-step.webp',
  'loss.png': 'loss.png',
  'real-vs-fake.png': 'real-vs-fake.png',
  'between.webp': 'between.webp',
  'sum.png': 'sum.png',
};

await orExit(main());

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'dcgan-pictures-'));
  try {
    const run = join(folder, 'run');
    await coordinator(...DEMONSTRATION, '--run-dir', run, '--seed', '0', '--threads', '1', '--no-http');
    await coordinator('generate', run, '--between', '3', '7', '--out', join(run, 'between.webp'));
    await coordinator(
      'generate',
      run,
      '--arithmetic',
      '1,2,3 - 4,5,6 + 7,8,9',
      '--out',
      join(run, 'sum.png'),
    );
    await mkdir(join(root, 'docs/pictures'), { recursive: true });
    for (const [left, name] of Object.entries(pictures))
      await copyFile(join(run, left), join(root, 'docs/pictures', name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function coordinator(...args) {
  await runTool('the run', process.execPath, [program, ...args], { output: 1 });
}
