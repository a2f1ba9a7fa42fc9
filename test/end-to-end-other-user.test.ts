import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secretPath } from '../src/wire/address-secret.js';
import { ExternalRun } from './support/trainer/external-run.js';
import { freePort } from './support/trainer/free-port.js';
import { commandOf, isAlive, workersOf } from './support/trainer/processes.js';
import { Program } from './support/trainer/program.js';
import { expectSameRun } from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

const ATTACKER = fileURLToPath(new URL('support/wire/other-user.js', import.meta.url));
const SAME = ['--shards', '2', '--steps', '40', '--sample-every', '0', '--checkpoint-every', '0'];
const skip =
  process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root can become another user';

describe('another user of the machine', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', SAME);
  });
  after(() => workplace.remove());

  /** What comes of an attack at this address, with the process number of one of the run's workers: so many lines. */
  async function attack(address: string, worker: number, lines: number): Promise<readonly string[]> {
    const attacker = workplace.add(
      Program.run([process.execPath, ATTACKER, address, String(worker)], workplace.place()),
    );
    await until('what comes of the attack', () => attacker.stdout.split('\n').length > lines);
    return attacker.stdout.trimEnd().split('\n');
  }

  function addressIn(worker: number): string {
    return / --coordinator (\S+)/.exec(commandOf(worker))?.[1] ?? '';
  }

  it(
    'cannot reach the sockets of a run with workers of its own, which are gone with it',
    { skip },
    async () => {
      const program = workplace.start(
        workplace.training('own', ['--workers', '2', '--topology', 'ring', ...SAME]),
      );
      await program.line(/^training in/);
      const [worker] = workersOf(program.pid);
      const address = addressIn(worker);
      assert.match(address, /^ipc:\/\/\//);
      const folder = dirname(address.slice('ipc://'.length));
      assert.equal(statSync(folder).mode & 0o777, 0o700);
      // The coordinator's socket and one of each worker.
      assert.equal(readdirSync(folder).length, 3);
      assert.deepEqual(await attack(address, worker, 2), ['environment: EACCES', 'socket: EACCES']);
      const { code, lines } = await program.ended();
      assert.equal(code, 0, lines.join('\n'));
      assert.ok(!existsSync(folder));
      await expectSameRun(workplace.path('own'), workplace.path('quiet'));
    },
  );

  it('leaves no sockets of a coordinator that is killed', async () => {
    const program = workplace.start(workplace.training('killed', ['--workers', '2', ...ENDLESS]));
    await program.line(/^training in/);
    const workers = workersOf(program.pid);
    const folder = dirname(addressIn(workers[0]).slice('ipc://'.length));
    assert.ok(existsSync(folder));
    program.signal('SIGKILL');
    await until('the workers to be gone', () => !workers.some(isAlive));
    assert.ok(!existsSync(folder));
  });

  it(
    'gets no place by the process number of a worker, where the run listens at a port',
    { skip },
    async () => {
      const listen = `tcp://127.0.0.1:${await freePort()}`;
      const args = ['--workers', '2', '--listen', listen, ...SAME];
      const program = workplace.start(workplace.training('port', args));
      await program.line(/^training in/);
      const [worker] = workersOf(program.pid);
      const [environment, answer] = await attack(listen, worker, 2);
      assert.equal(environment, 'environment: EACCES');
      assert.match(answer, /^refusal: .*the run starts its own workers/);
      const { code, lines } = await program.ended();
      assert.equal(code, 0, lines.join('\n'));
      assert.deepEqual(
        lines.filter((line) => /lost|killed|silent|came back/.test(line)),
        [],
      );
      await expectSameRun(workplace.path('port'), workplace.path('quiet'));
    },
  );

  it('gets neither a place nor images from a run that waits for workers without keys', { skip }, async () => {
    const run = await ExternalRun.start(workplace, 'external', ['--workers', '1', ...SAME]);
    assert.equal(statSync(secretPath(run.address)).mode & 0o777, 0o600);
    const answers = await attack(run.address, run.program.pid, 2);
    assert.match(answers[1], /^refusal: .*it does not know the secret of this coordinator/);
    const rejected = 'dcgan_wire_rejected_total{reason="unknown_sender"}';
    await until('its request to be rejected', async () => ((await run.metrics()).get(rejected) ?? 0) > 0);
    const worker = workplace.startWorker(['--coordinator', run.address]);
    const { code, lines } = await run.program.ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.equal((await worker.ended()).code, 0);
    await expectSameRun(workplace.path('external'), workplace.path('quiet'));
    assert.ok(!existsSync(secretPath(run.address)));
  });
});
