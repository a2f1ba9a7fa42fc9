import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { freePort } from './support/trainer/free-port.js';
import { readNumbers } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

describe('a run with keys', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    const made = await workplace.start(['keys', 'keys', '--workers', 'a', 'b']).ended();
    assert.equal(made.code, 0, made.lines.join('\n'));
  });
  after(() => workplace.remove());

  /** The folder on a worker's machine. */
  async function machine(name: string, from = 'keys'): Promise<string> {
    const folder = workplace.path(`machine-${name}`);
    await mkdir(folder, { mode: 0o700 });
    await copyFile(workplace.path('keys/coordinator.key'), `${folder}/coordinator.key`);
    await copyFile(workplace.path(from, `${name}.key_secret`), `${folder}/${name}.key_secret`);
    return folder;
  }

  it('gives the numbers of one without, on workers of this machine and of others, and lets no stranger in', async () => {
    const steps = ['--steps', '4', '--sample-every', '0'];
    const local = await workplace.run('local', ['--workers', '2', ...steps, '--keys', 'keys']);
    assert.equal(local.code, 0, local.lines.join('\n'));

    const address = `tcp://127.0.0.1:${await freePort()}`;
    const coordinator = workplace.start(
      workplace.training('external', [
        ...['--external', '--workers', '2', '--listen', address, '--keys', 'keys', ...steps],
      ]),
    );
    await coordinator.line(new RegExp(`^waiting for 2 workers: .* --coordinator ${address} --keys DIR$`));

    const bare = await workplace.startWorker(['--coordinator', address]).ended();
    assert.equal(bare.code, 2);
    assert.match(bare.lines[0], /^worker: \S+ refused this worker: one of the two uses keys and the other/);
    assert.equal((await workplace.start(['keys', 'strangers', '--workers', 'c']).ended()).code, 0);
    const stranger = await workplace
      .startWorker(['--coordinator', address, '--keys', await machine('c', 'strangers')])
      .ended();
    assert.equal(stranger.code, 2);
    assert.match(stranger.lines[0], /^worker: \S+ refused this worker: its key is not admitted there: put/);

    const workers = await Promise.all(
      ['a', 'b'].map(async (name) =>
        workplace.startWorker(['--coordinator', address, '--keys', await machine(name)]),
      ),
    );
    const endings = await Promise.all([coordinator.ended(), ...workers.map((worker) => worker.ended())]);
    assert.deepEqual(
      endings.map(({ code }) => code),
      [0, 0, 0],
      endings.map(({ lines }) => lines.join('\n')).join('\n'),
    );
    assert.deepEqual(
      await readNumbers(workplace.path('external')),
      await readNumbers(workplace.path('local')),
    );
  });

  it('does not begin where keys are needed and are not there', async () => {
    const beyond = ['--workers', '2', '--listen', 'tcp://0.0.0.0:5555'];
    await workplace.start(['keys', 'others']).ended();
    await mkdir(workplace.path('central'), { mode: 0o700 });
    for (const file of ['coordinator.key_secret', 'worker.key'])
      await copyFile(workplace.path('others', file), workplace.path('central', file));
    for (const [args, line] of [
      [beyond, /^coordinator: --listen tcp:\/\/0\.0\.0\.0:5555 is beyond this machine and needs keys: make/],
      [[...beyond, '--keys', 'nowhere'], /^coordinator: there is no folder \S+nowhere: make keys with/],
      [[...beyond, '--keys', 'central'], /^coordinator: no worker's secret key is in \S+central, and this/],
    ] as const) {
      const { code, lines } = await workplace.run('never', args);
      assert.equal(code, 2);
      assert.deepEqual(lines.length, 1, lines.join('\n'));
      assert.match(lines[0], line);
    }
    const worker = await workplace.startWorker(['--coordinator', 'tcp://192.0.2.1:5555']).ended();
    assert.equal(worker.code, 2);
    assert.match(worker.lines[0], /^worker: --coordinator tcp:\/\/192\.0\.2\.1:5555 is beyond this machine/);
  });
});
