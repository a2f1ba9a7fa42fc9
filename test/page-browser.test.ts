import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousViolations, TestBrowser } from './support/browser.js';
import { skipWithout } from './support/optional-tools.js';
import { workersOf } from './support/trainer/processes.js';
import type { Program } from './support/trainer/program.js';
import { readStats, stepsDone } from './support/trainer/run-results.js';
import { loggedEvaluation } from './support/step-record.js';
import { SMALL, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

const TOKEN = 'a-token-that-nobody-may-see';
const PHONE = { width: 390, height: 844 };

describe('the live page', { skip: skipWithout('Chromium') }, () => {
  let workplace: Workplace;
  let browser: TestBrowser;
  before(async () => {
    workplace = await Workplace.make();
    browser = await TestBrowser.start();
  });
  after(async () => {
    await browser.close();
    await workplace.remove();
  });

  const start = async (run: string, args: readonly string[]): Promise<[Program, string]> => {
    const options = [
      '--steps',
      '1000000',
      '--sample-every',
      '200',
      '--http',
      '127.0.0.1:0',
      '--run-dir',
      run,
    ];
    const program = workplace.start(['train', '--data', workplace.images, ...SMALL, ...options, ...args]);
    const [, address] = await program.line(/^page at (http:\S+)$/);
    return [program, address];
  };
  const shownStep = async (page: Page): Promise<number> =>
    Number(((await page.textContent('#step')) ?? '').replace(/ of .*$/, '').replaceAll(',', ''));
  /** The page tries to reach a coordinator that has ended, and Chromium says of each time that it could not. */
  const forgiveReconnecting = (): void => {
    const others = browser.complaints.splice(0).filter((line) => !line.includes('ERR_CONNECTION_REFUSED'));
    assert.deepEqual(others, []);
  };
  const headingsOf = (page: Page): Promise<string[]> => page.locator('#workers thead th').allTextContents();
  /** Of each worker, the cell that is `back` from the right. */
  const lastCells = (page: Page, back: number): Promise<string[]> =>
    page.locator(`#workers tbody td:nth-last-child(${back})`).allTextContents();
  /** NaN where the cell says none. */
  const millisecondsOf = (cell: string): number =>
    Number(/^([\d.,]+) ms$/.exec(cell)?.[1].replaceAll(',', ''));
  const pictureOf = (page: Page): Promise<string> => page.evaluate('document.getElementById("sample").src');

  it('shows a run as it goes on: curves, samples, and a worker that is killed', async () => {
    const [program, address] = await start('run', ['--workers', '2']);
    const page = await browser.open(address);

    const labelOf = (): Promise<string | null> => page.getAttribute('#losses', 'aria-label');
    await until('points', async () => /step \d+, D loss \d/.test((await labelOf()) ?? ''));
    const first = await labelOf();
    await until('more points', async () => (await labelOf()) !== first);
    await until('drawn curves', () =>
      page.evaluate<boolean>(
        `(() => { const canvas = document.querySelector('#losses canvas');
          return new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size > 20; })()`,
      ),
    );
    const drawnTo = async (): Promise<number> => Number(await page.getAttribute('#losses', 'data-to'));
    await until('curves as far as the steps', async () => (await drawnTo()) > 20);
    const before = await drawnTo();
    await until('longer curves', async () => (await drawnTo()) > before + 20);
    const picture = await until('samples', () => pictureOf(page));
    await until('other samples', async () => (await pictureOf(page)) !== picture);
    await page.waitForSelector('#reals:not([hidden])');

    // Who looks back is left there, also by the keyboard.
    await page.focus('#slider');
    await page.keyboard.press('Home');
    await page.waitForSelector('text=Generated, step 0 (1 of');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('text=Generated, step 200 (2 of');

    const [victim] = workersOf(program.pid);
    process.kill(victim, 'SIGKILL');
    const lost = page.locator('#events li', { hasText: 'was killed by SIGKILL' });
    await lost.waitFor();
    assert.match((await lost.textContent()) ?? '', new RegExp(`lost.*pid ${victim}`));
    await page.locator('#events li', { hasText: 'joins' }).first().waitFor();
    await until('both workers', async () => (await page.locator('#workers td.ready').count()) === 2);
    assert.deepEqual((await headingsOf(page)).slice(-2), ['D phase', 'G phase']);
    for (const column of [1, 2])
      await until(
        `what column ${column} from the right says`,
        async () => (await lastCells(page, column)).filter((cell) => millisecondsOf(cell) > 0).length === 2,
      );
    assert.equal(await page.locator('#control').isVisible(), false);

    assert.equal(await page.locator('#evaluation').isVisible(), false);
    await mkdir(workplace.path('run', 'evaluation'));
    const reals = { count: 500, realFaceShare: 0.875, realFrechetDistance: 0.0023 };
    await writeFile(
      workplace.path('run', 'evaluation', 'step-000200.json'),
      JSON.stringify({ ...loggedEvaluation(200), ...reals }),
    );
    await page.locator('#evaluations tr', { hasText: '62.5 % (50.0 to 75.0)' }).waitFor();
    await page.locator('#evaluation-real', { hasText: '87.5 %, 0.0023' }).waitFor();

    assert.deepEqual(await seriousViolations(page), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await seriousViolations(page), []);
    await page.setViewportSize(PHONE);
    // The curves follow the window's width in the frame after it: what is laid out before that was never shown.
    const overflow = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
      done(document.documentElement.scrollWidth - document.documentElement.clientWidth))))`;
    assert.equal(await page.evaluate(overflow), 0);
    assert.deepEqual(browser.complaints, []);

    await cp(workplace.path('run'), workplace.path('runs', 'one'), { recursive: true });
    program.signal('SIGINT');
    await program.ended();
    await page.waitForSelector('#state:has-text("ended")');
    await page.close();
    forgiveReconnecting();
  });

  it('needs the token of a run that has one, and then pauses, resumes and stops it', async () => {
    const local = ['--single-node', '--local-steps', '2'];
    const [program, address] = await start('run-2', [...local, '--http-token', TOKEN]);
    const page = await browser.open(address);
    await page.fill('#token', 'a-token-that-is-wrong');
    await page.click('text=Show the run');
    await page.waitForSelector('text=That is not the token of this run.');
    assert.equal(await page.locator('#content').isVisible(), false);
    assert.deepEqual(await seriousViolations(page), []);
    // What Chromium itself says of each answer with status 401.
    assert.deepEqual(
      browser.complaints.splice(0).filter((line) => !line.includes('401')),
      [],
    );

    await page.fill('#token', TOKEN);
    await page.keyboard.press('Enter');
    await until('steps', async () => (await shownStep(page)) > 2);
    await page.waitForSelector('#sample:not([hidden])');

    await page.click('text=Pause');
    await page.waitForSelector('#state:has-text("paused")');
    const done = await stepsDone(workplace.path('run-2'));
    await page.waitForTimeout(1_500); // hundreds of steps, if it went on
    assert.equal(await stepsDone(workplace.path('run-2')), done);
    await until('the step it stands at', async () => (await shownStep(page)) === done);
    // One column instead of two; both steps of a round take half of what it took.
    assert.deepEqual((await headingsOf(page)).slice(-2), ['Images/s', 'Local step']);
    const last = (await readStats(workplace.path('run-2'))).at(-1);
    const milliseconds = (1000 * 16) / (last?.['imagesPerSecond'] ?? 0); // 16 images a step
    const [cell] = await lastCells(page, 1);
    assert.ok(Math.abs(millisecondsOf(cell) / milliseconds - 1) <= 0.005, `${cell}, not ${milliseconds} ms`);
    await page.click('text=Resume');
    await until('more steps', async () => (await shownStep(page)) > done);

    page.on('dialog', (dialog) => void dialog.accept());
    await page.click('#stop');
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.ok(lines.some((line) => line.startsWith('stopped after step ')));
    await page.waitForSelector('#state:has-text("ended")');
    for (const kind of ['paused', 'resumed', 'stopped'])
      assert.equal(await page.locator('#events li b', { hasText: kind }).count(), 1, kind);
    await page.close();
    forgiveReconnecting();
  });

  it('shows finished runs over each other', async () => {
    await cp(workplace.path('run-2'), workplace.path('runs', 'two'), { recursive: true });
    const program = workplace.start(['view', 'runs', '--http', '127.0.0.1:0']);
    const [, address] = await program.line(/^2 runs at (http:\S+) /);
    const page = await browser.open(address, { viewport: PHONE });
    const rows = page.locator('#values tbody tr');
    await until('both runs', async () => (await rows.count()) === 2);
    await page.waitForSelector('#losses[aria-label*="one: step"][aria-label*="two: step"]');
    await page.locator('#events li', { hasText: 'resumed' }).waitFor();
    await page.check('[aria-label="Details of one"]');
    await page.locator('#events li', { hasText: 'SIGKILL' }).waitFor();
    await page.uncheck('label:has-text("two") input[type=checkbox]');
    await until('one run', async () => (await rows.count()) === 1);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(browser.complaints, []);
    await page.close();
    program.signal('SIGINT');
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
  });
});
