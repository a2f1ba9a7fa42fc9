import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it, type TestContext } from 'node:test';
import { freePort } from './support/trainer/free-port.js';
import { Program } from './support/trainer/program.js';
import { SMALL, Workplace } from './support/trainer/workplace.js';
import { SilentPeers } from './support/wire/silent-peers.js';
import { until } from './support/wire/until.js';

/** Files that the coordinator may have, and what it keeps of them for everything but connections. */
const LIMIT = 256;
const RESERVE = LIMIT / 4;

/** More than its files. */
const STRANGERS = 400;

describe('a run that more strangers connect to than there can be files', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    const made = await workplace.start(['keys', 'keys']).ended();
    assert.equal(made.code, 0, made.lines.join('\n'));
  });
  after(() => workplace.remove());

  /** Has strangers knock before the worker comes, and until the end. */
  async function trainBesides(t: TestContext, name: string, address: string, keys: readonly string[]) {
    const training = ['train', '--data', workplace.images, ...SMALL, '--run-dir', name, '--no-http'];
    const external = ['--external', '--workers', '1', '--listen', address, '--steps', '20', ...keys];
    const coordinator = workplace.add(
      Program.run(
        [
          ...['sh', '-c', `ulimit -n ${LIMIT}; exec "$@"`, 'sh', process.execPath],
          ...[Program.pathOf('coordinator'), ...training, ...external],
        ],
        workplace.place(),
      ),
    );
    await coordinator.line(/^waiting for 1 worker: /);
    const strangers = SilentPeers.open(t, address, keys.length > 0 ? 'nothing' : 'handshake', STRANGERS);
    await until('as many as are let in', () => strangers.admitted >= 100);
    let most = 0;
    const count = setInterval(() => {
      readdir(`/proc/${coordinator.pid}/fd`).then(
        ({ length }) => (most = Math.max(most, length)),
        () => undefined,
      );
    }, 50);
    t.after(() => {
      clearInterval(count);
    });
    const worker = workplace.startWorker(['--coordinator', address, ...keys]);
    const [ending, ofWorker] = await Promise.all([coordinator.ended(), worker.ended()]);
    const said = [...ending.lines, ...ofWorker.lines].join('\n');
    assert.deepEqual([ending.code, ofWorker.code], [0, 0], said);
    assert.ok(strangers.ended > 0);
    // Writing a checkpoint takes a few files of the reserve.
    assert.ok(most > 0 && most < LIMIT - RESERVE / 2, `${most} files`);
  }

  it('trains over ipc', async (t) => {
    const path = workplace.path('socket');
    await trainBesides(t, 'ipc', `ipc://${path}`, []);
    assert.ok(!existsSync(path), 'the socket is gone with the run');
  });

  it('trains over TCP with keys, by IPv6', async (t) => {
    await trainBesides(t, 'keys-run', `tcp://[::1]:${await freePort()}`, ['--keys', 'keys']);
  });

  it('begins at no path that has a file', async () => {
    const path = workplace.path('notes.txt');
    await writeFile(path, 'precious');
    const { code, lines } = await workplace.run('file', ['--workers', '1', '--listen', `ipc://${path}`]);
    assert.equal(code, 2);
    assert.match(
      lines.at(-1) ?? '',
      /^coordinator: cannot listen for workers at ipc:\S+: there is a file of/,
    );
    assert.equal(await readFile(path, 'utf8'), 'precious');
  });

  it('is looked for by a worker that says when its host has no address', async () => {
    const address = 'tcp://no-such-host.invalid:5555';
    const { code, lines } = await workplace
      .startWorker(['--coordinator', address, '--keys', 'keys', '--connect-timeout', '1'])
      .ended();
    assert.equal(code, 1);
    assert.match(lines[0], /^cannot resolve no-such-host\.invalid \(\w+\); retrying for 1 s$/);
    assert.match(
      lines[1],
      /^worker: cannot resolve no-such-host\.invalid \(\w+\) for 1 s: check the host in --coordinator tcp:\S+, or/,
    );
  });
});
