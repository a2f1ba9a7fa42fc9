import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { freePort } from './support/trainer/free-port.js';
import type { Program } from './support/trainer/program.js';
import { expectSameRun, readNumbers } from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

// Each waits for connections, and for processes that start one after the other.
describe('workers that are started elsewhere', { concurrency: 3 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  const freeAddress = async (): Promise<string> => `tcp://127.0.0.1:${await freePort()}`;

  async function coordinate(address: string, run: string, args: readonly string[]): Promise<Program> {
    const program = workplace.start(
      workplace.training(run, ['--external', '--workers', '2', '--listen', address, ...args]),
    );
    await program.line(new RegExp(`^waiting for 2 workers: .*worker.* --coordinator ${address}$`));
    return program;
  }

  it('give the numbers of one process, with images of their own or sent to them', async () => {
    const address = await freeAddress();
    const alone = await workplace.run('alone', ['--single-node', '--shards', '2', '--steps', '8']);
    assert.equal(alone.code, 0, alone.lines.join('\n'));
    // A worker may come before its coordinator: it goes on trying.
    const early = workplace.startWorker(['--coordinator', address, '--data', workplace.images]);
    const program = await coordinate(address, 'external', ['--steps', '8']);
    const cache = await workplace.makeCache('other-machine');
    const late = workplace.startWorker(['--coordinator', address], 'other-machine');
    const endings = await Promise.all([program.ended(), early.ended(), late.ended()]);
    assert.deepEqual(
      endings.map(({ code }) => code),
      [0, 0, 0],
      endings.map(({ lines }) => lines.join('\n')).join('\n'),
    );
    await expectSameRun(workplace.path('external'), workplace.path('alone'));
    // Only its part of the images came to it: one shard of two.
    assert.ok(!existsSync(`${cache}/faces`));
    const packs = await readdir(`${cache}/shards`);
    assert.equal(packs.length, 1);
    assert.match(packs[0], /^[0-9a-f]{64}-[01]-of-2\.pack$/);
  });

  it('are refused in one line where they do not fit or are too many, and the run takes no harm', async () => {
    const address = await freeAddress();
    const program = await coordinate(address, 'picky', [...ENDLESS]);
    const others = await workplace.makeImages('others', 20, 1);
    const wrong = await workplace.startWorker(['--coordinator', address, '--data', others]).ended();
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.lines[wrong.lines.length - 1],
      /^worker: \S+others has 20 images \(fingerprint \w{8}\), the run has 96 images \(fingerprint \w{8}\): give --data the run's folder, or leave it out/,
    );
    await program.line(/^worker 0 \(pid \d+ on \S+\) failed: .*; its place is open$/);
    const fitting = [0, 1].map(() => workplace.startWorker(['--coordinator', address]));
    await program.line(/^training in picky/);
    const third = await workplace.startWorker(['--coordinator', address, '--connect-timeout', '1']).ended();
    assert.equal(third.code, 2);
    assert.deepEqual(third.lines, [
      'the run has all its workers: asking again for 1 s',
      'worker: the coordinator refused this worker for 1 s: the run has all its workers',
    ]);
    program.signal('SIGINT');
    const endings = await Promise.all([program.ended(), ...fitting.map((worker) => worker.ended())]);
    assert.deepEqual(
      endings.map(({ code }) => code),
      [0, 0, 0],
    );
  });

  it('leave a place when they are killed or take their leave, which one that stands by gets', async () => {
    const address = await freeAddress();
    const program = await coordinate(address, 'places', [...ENDLESS]);
    const [first, second] = [0, 1].map(() => workplace.startWorker(['--coordinator', address]));
    await program.line(/^training in/);
    const [third, fourth] = [0, 1].map(() => workplace.startWorker(['--coordinator', address]));
    for (const worker of [third, fourth])
      await worker.line(/^the run has all its workers: asking again for 60 s$/);
    const lost = (worker: Program, cause: string): RegExp =>
      new RegExp(`^worker [01] \\(pid ${worker.pid} on \\S+\\) ${cause}; its place is open$`);

    first.signal('SIGKILL');
    await program.line(lost(first, 'lost its connection'));
    const [, pid] = await program.line(/^worker [01] \(pid (\d+) on \S+\) joins$/);
    assert.ok([third.pid, fourth.pid].includes(Number(pid)), pid);
    const [joined, standing] = Number(pid) === third.pid ? [third, fourth] : [fourth, third];

    second.signal('SIGINT');
    await program.line(lost(second, 'failed: it was told to stop \\(SIGINT\\)'));
    assert.equal((await second.ended()).code, 0);
    await program.line(new RegExp(`^worker [01] \\(pid ${standing.pid} on \\S+\\) joins$`));

    program.signal('SIGINT');
    for (const each of [program, joined, standing]) {
      const { code, lines } = await each.ended();
      assert.equal(code, 0, lines.join('\n'));
    }
    const places = await readNumbers(workplace.path('places'));
    const steps = ['--shards', '2', '--sample-every', '0', '--steps', String(places.length)];
    await workplace.quietRun('quiet', [...steps]);
    assert.deepEqual(places, await readNumbers(workplace.path('quiet')));
  });

  it('stay for a while after SIGTERM or a hangup, so that a coordinator that gets it too can take their state', async () => {
    const address = await freeAddress();
    const program = await coordinate(address, 'all told', [...ENDLESS, '--checkpoint-every', '0']);
    const workers = [0, 1].map(() => workplace.startWorker(['--coordinator', address, '--grace', '60']));
    await program.line(/^training in/);
    // They are told first, and the run goes on.
    workers[0].signal('SIGTERM');
    workers[1].signal('SIGHUP');
    await workers[0].line(
      /^SIGTERM: staying until the coordinator ends the run, 60 s at most; once more to leave/,
    );
    await workers[1].line(/^SIGHUP: staying until the coordinator ends the run, 60 s at most$/);
    const steps = async (): Promise<number> => (await readNumbers(workplace.path('all told'))).length;
    const then = await steps();
    await until('two more steps', async () => (await steps()) > then + 1);
    program.signal('SIGTERM');
    for (const each of [program, ...workers]) {
      const { code, lines } = await each.ended();
      assert.equal(code, 0, lines.join('\n'));
    }
    assert.deepEqual(await readdir(workplace.path('all told', 'checkpoints')), [
      `step-${String(await steps()).padStart(6, '0')}.safetensors`,
    ]);
  });

  it('wait for the next coordinator where the one that ends goes on by itself', async () => {
    const address = await freeAddress();
    const args = ['--shards', '2', '--sample-every', '0', '--steps', '150'];
    const begin = (): Promise<Program> => coordinate(address, 'moved', [...args, '--auto-resume']);
    const first = await begin();
    const workers = [0, 1].map(() => workplace.startWorker(['--coordinator', address]));
    await first.line(/^epoch .* step 1\//);
    first.signal('SIGTERM');
    assert.equal((await first.ended()).code, 143);
    const done = (await readNumbers(workplace.path('moved'))).length;
    assert.ok(done < 150, 'the run was over before it could be stopped');
    for (const worker of workers) await worker.line(/^lost the coordinator, connecting again: /);

    for (const each of [await begin(), ...workers]) {
      const { code, lines } = await each.ended();
      assert.equal(code, 0, lines.join('\n'));
    }
    await workplace.quietRun('unmoved', args);
    await expectSameRun(workplace.path('moved'), workplace.path('unmoved'));
  });

  it('leave after their grace, and at once when they are told again', async () => {
    const address = await freeAddress();
    const program = await coordinate(address, 'told', [...ENDLESS]);
    const brief = workplace.startWorker(['--coordinator', address, '--grace', '0.5']);
    const other = workplace.startWorker(['--coordinator', address]);
    await program.line(/^training in/);
    const left = (worker: Program): RegExp =>
      new RegExp(`^worker [01] \\(pid ${worker.pid} on \\S+\\) failed: it was told to stop \\(SIGTERM\\)`);
    brief.signal('SIGTERM');
    await program.line(left(brief));
    other.signal('SIGTERM');
    await other.line(/^SIGTERM: staying/);
    other.signal('SIGTERM');
    await program.line(left(other));
    for (const worker of [brief, other]) assert.equal((await worker.ended()).code, 143);
    program.signal('SIGKILL');
    await program.ended();
  });

  it('that stand by, or that nobody answers, end at once when they are told to', async () => {
    const address = await freeAddress();
    const silent = createServer().listen(Number(new URL(address).port), '127.0.0.1');
    const early = workplace.startWorker(['--coordinator', address]);
    const [socket] = (await once(silent, 'connection')) as [Socket];
    early.signal('SIGTERM');
    assert.deepEqual(await early.ended(), { code: 143, signal: null, stdout: '', lines: [] });
    socket.destroy();
    await once(silent.close(), 'close');

    const program = await coordinate(address, 'crowded', [...ENDLESS]);
    for (let worker = 0; worker < 2; worker++) workplace.startWorker(['--coordinator', address]);
    await program.line(/^training in/);
    const third = workplace.startWorker(['--coordinator', address]);
    await third.line(/^the run has all its workers/);
    third.signal('SIGTERM');
    const { code, lines } = await third.ended();
    assert.equal(code, 143, lines.join('\n'));
    assert.equal(lines.length, 1);
    program.signal('SIGINT');
    assert.equal((await program.ended()).code, 0);
  });

  it('wait for a coordinator that is gone, and end when it does not come back', async () => {
    const address = await freeAddress();
    const program = await coordinate(address, 'gone', [...ENDLESS]);
    const workers = [0, 1].map(() =>
      workplace.startWorker(['--coordinator', address, '--reconnect-timeout', '1']),
    );
    await program.line(/^training in/);
    program.signal('SIGKILL');
    for (const worker of workers) {
      await worker.line(/^lost the coordinator, connecting again: its connection is gone$/);
      const { code, lines } = await worker.ended();
      assert.equal(code, 1);
      assert.match(
        lines[lines.length - 1],
        new RegExp(`^worker: nobody answers at ${address} for 1 s: is the coordinator running there`),
      );
    }
  });

  it('say in one line that nobody answers', async () => {
    const address = await freeAddress();
    const { code, lines } = await workplace
      .startWorker(['--coordinator', address, '--connect-timeout', '1'])
      .ended();
    assert.equal(code, 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0], new RegExp(`^worker: nobody answers at ${address} for 1 s: `));
  });
});
