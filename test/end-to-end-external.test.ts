import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { freePort } from './support/trainer/free-port.js';
import type { Program } from './support/trainer/program.js';
import { lastState, readNumbers } from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';

describe('workers that are started elsewhere', () => {
  let workplace: Workplace;
  let address: string;
  before(async () => {
    workplace = await Workplace.make();
    address = `tcp://127.0.0.1:${await freePort()}`;
  });
  after(() => workplace.remove());

  async function coordinate(run: string, args: readonly string[]): Promise<Program> {
    const program = workplace.start(
      workplace.training(run, ['--external', '--workers', '2', '--listen', address, ...args]),
    );
    await program.line(new RegExp(`^waiting for 2 workers: .*worker.* --coordinator ${address}$`));
    return program;
  }

  it('give the numbers of one process, with images of their own or sent to them', async () => {
    const alone = await workplace.run('alone', ['--single-node', '--shards', '2', '--steps', '8']);
    assert.equal(alone.code, 0, alone.lines.join('\n'));
    // A worker may come before its coordinator: it goes on trying.
    const early = workplace.startWorker(['--coordinator', address, '--data', workplace.images]);
    const program = await coordinate('external', ['--steps', '8']);
    const cache = await workplace.makeCache('other-machine');
    const late = workplace.startWorker(['--coordinator', address], 'other-machine');
    const endings = await Promise.all([program.ended(), early.ended(), late.ended()]);
    assert.deepEqual(
      endings.map(({ code }) => code),
      [0, 0, 0],
      endings.map(({ lines }) => lines.join('\n')).join('\n'),
    );
    assert.deepEqual(
      await readNumbers(workplace.path('external')),
      await readNumbers(workplace.path('alone')),
    );
    assert.ok((await lastState(workplace.path('external'))).equals(await lastState(workplace.path('alone'))));
    // Only its part of the images came to it: one shard of two.
    assert.ok(!existsSync(`${cache}/faces`));
    const packs = await readdir(`${cache}/shards`);
    assert.equal(packs.length, 1);
    assert.match(packs[0], /^[0-9a-f]{64}-[01]-of-2\.pack$/);
  });

  it('are refused in one line where they do not fit, and the run waits for others', async () => {
    const program = await coordinate('picky', [...ENDLESS]);
    const others = await workplace.makeImages('others', 20, 1);
    const wrong = await workplace.startWorker(['--coordinator', address, '--data', others]).ended();
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.lines[wrong.lines.length - 1],
      /^worker: \S+others has 20 images \(fingerprint \w{8}\), the run has 96 images \(fingerprint \w{8}\): give --data the run's folder, or leave it out/,
    );
    await program.line(/^worker 0 \(pid \d+ on \S+\) cannot go on: .*; waiting for another in its place$/);
    const fitting = [0, 1].map(() => workplace.startWorker(['--coordinator', address]));
    await program.line(/^training in picky/);
    const third = await workplace.startWorker(['--coordinator', address]).ended();
    assert.equal(third.code, 2);
    assert.deepEqual(third.lines, [
      'worker: the coordinator refused this worker: the run has all its workers',
    ]);
    // The run has taken no harm.
    program.signal('SIGINT');
    const endings = await Promise.all([program.ended(), ...fitting.map((worker) => worker.ended())]);
    assert.deepEqual(
      endings.map(({ code }) => code),
      [0, 0, 0],
    );
  });

  it('end the run in one line when one of them is killed or takes its leave', async () => {
    for (const [run, signal, cause] of [
      ['killed', 'SIGKILL', 'lost its connection'],
      ['left', 'SIGTERM', 'cannot go on: it was told to stop \\(SIGTERM\\)'],
    ] as const) {
      const program = await coordinate(run, [...ENDLESS]);
      const [first, second] = [0, 1].map(() => workplace.startWorker(['--coordinator', address]));
      await program.line(/^training in/);
      first.signal(signal);
      const { code, lines } = await program.ended();
      assert.equal(code, 1);
      assert.match(
        lines[lines.length - 1],
        new RegExp(
          `^coordinator: worker [01] \\(pid ${first.pid} on \\S+\\) ${cause}; no checkpoint was written yet`,
        ),
      );
      const other = await second.ended();
      assert.equal(other.code, 0, other.lines.join('\n'));
    }
  });

  it('end when their coordinator is gone', async () => {
    const program = await coordinate('gone', [...ENDLESS]);
    const workers = [0, 1].map(() => workplace.startWorker(['--coordinator', address]));
    await program.line(/^training in/);
    program.signal('SIGKILL');
    for (const worker of workers) {
      const { code, lines } = await worker.ended();
      assert.equal(code, 1);
      assert.equal(lines[lines.length - 1], `worker: the coordinator at ${address} is gone`);
    }
  });

  it('say in one line that nobody answers', async () => {
    const { code, lines } = await workplace
      .startWorker(['--coordinator', address, '--connect-timeout', '1'])
      .ended();
    assert.equal(code, 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0], new RegExp(`^worker: nobody answers at ${address} for 1 s: `));
  });
});
