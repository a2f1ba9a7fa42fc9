// npm run screenshots: docs/pictures/page.png, the live page of a run that it trains for a minute. Needs chromium.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { root } from './tool.mjs';

const CHROMIUM = '/usr/bin/chromium';
/** In milliseconds. */
const START_LIMIT = 120_000;
const RUN_TIME = 60_000;
const KILL_AFTER = 25_000;
const OPTIONS =
  '--workers 2 --architecture tutorial --image-size 32 --generator-features 16 --discriminator-features 16 ' +
  '--batch-size 64 --epochs 40 --sample-every 50 --checkpoint-every 250 --http 127.0.0.1:0';

const folder = await mkdtemp(join(tmpdir(), 'dcgan-screenshot-'));
const run = ['train', '--run-dir', join(folder, 'faces'), ...OPTIONS.split(' ')];
const trainer = spawn(process.execPath, ['dist/src/cli/main.js', ...run], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'pipe'],
});
const ended = once(trainer, 'exit');
try {
  const address = await addressOf(trainer);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1240, height: 900 } });
    await page.goto(address);
    await page.waitForTimeout(KILL_AFTER);
    const { workers } = await (await fetch(`${address}api/run`)).json();
    process.kill(workers[1].pid, 'SIGKILL'); // so that the time line has something to tell
    await page.waitForTimeout(RUN_TIME - KILL_AFTER);
    const picture = await page.screenshot({
      fullPage: true,
      clip: { x: 0, y: 0, width: 1240, height: 1000 },
    });
    await mkdir(join(root, 'docs/pictures'), { recursive: true });
    await sharp(picture)
      .png({ palette: true, quality: 80, effort: 10 })
      .toFile(join(root, 'docs/pictures/page.png'));
  } finally {
    await browser.close();
  }
} finally {
  trainer.kill('SIGINT');
  await ended;
  await rm(folder, { recursive: true, force: true });
}

/** Where the page of the run is. */
async function addressOf({ stderr }) {
  const lines = createInterface({ input: stderr });
  const timer = setTimeout(() => lines.close(), START_LIMIT);
  for await (const line of lines) {
    const match = /^page at (\S+)$/.exec(line);
    if (!match) continue;
    clearTimeout(timer);
    stderr.resume();
    return match[1];
  }
  throw new Error('the run has not begun');
}
