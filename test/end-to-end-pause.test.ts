import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import type { RunEvent, RunSnapshot } from '../src/monitoring/page/api.js';
import { expectSameRun } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

const TOKEN = 'a-token-to-pause-with';
const STEPS = ['--steps', '150', '--sample-every', '0', '--checkpoint-every', '0', '--shards', '2'];

/** Seconds of silence after which a worker is lost: the pause is longer. */
const LIVENESS = 3;

describe('a run on two workers that is paused from the page', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  it('does no step meanwhile, loses no worker, and comes to the numbers of an undisturbed run', async () => {
    const watched = ['--http', '127.0.0.1:0', '--http-token', TOKEN, '--liveness-timeout', `${LIVENESS}`];
    const program = workplace.start([
      ...workplace.training(workplace.path('paused'), [...STEPS, '--workers', '2']),
      ...watched,
    ]);
    const [, address] = await program.line(/^page at (http:\S+)\/$/);
    const ask = async (path: string, method = 'GET'): Promise<unknown> => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const signal = AbortSignal.timeout(20_000);
      const answer = await fetch(`${address}${path}`, { method, headers, signal });
      assert.equal(answer.status, 200, path);
      return answer.json();
    };
    const snapshot = async (): Promise<RunSnapshot> => (await ask('/api/run')) as RunSnapshot;
    while ((await snapshot()).step < 3) await pause(10);
    await ask('/api/pause', 'POST');
    // The step that was under way is done to its end.
    let { step } = await snapshot();
    for (let before = -1; before !== step;) {
      await pause(500);
      [before, step] = [step, (await snapshot()).step];
    }
    assert.ok(step >= 3 && step < 150, `paused after step ${step}`);
    await pause(1.5 * LIVENESS * 1000);
    const paused = await snapshot();
    assert.deepEqual([paused.state, paused.step], ['paused', step]);
    await ask('/api/resume', 'POST');
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));

    const events = (await readFile(workplace.path('paused', 'events.jsonl'), 'utf8')).trimEnd().split('\n');
    const kinds = events.map((line) => (JSON.parse(line) as RunEvent).kind);
    assert.ok(kinds.includes('paused') && kinds.includes('resumed'), kinds.join());
    assert.ok(!kinds.includes('lost'), kinds.join());

    await workplace.quietRun(workplace.path('undisturbed'), STEPS);
    await expectSameRun(workplace.path('paused'), workplace.path('undisturbed'));
  });
});
