import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { messageOf } from '../src/common/errors.js';
import type { RoundName } from '../src/model/round.js';
import { ExternalRun } from './support/trainer/external-run.js';
import { isAlive } from './support/trainer/processes.js';
import type { Program } from './support/trainer/program.js';
import { expectSameRun, readNumbers, readStats, stepsDone } from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import type { FaultRule } from './support/wire/fault-plan.js';
import { MessageProxy } from './support/wire/message-proxy.js';
import { TcpProxy } from './support/wire/tcp-proxy.js';
import { until } from './support/wire/until.js';

const STEPS = 240;
const SAME = ['--shards', '2', '--steps', String(STEPS), '--sample-every', '0', '--checkpoint-every', '20'];
const WORKERS = ['--workers', '2', '--liveness-timeout', '2'];
const FEW = [...SAME, '--steps', '30'];
const LOCAL = [...SAME, '--steps', '48', '--local-steps', '4', '--accumulate', '2'];

/** The word to apply an average never comes: the connection that it is sent on breaks before, so many times. */
function cutBeforeApply(phase: RoundName, fromStep: number, times: number): FaultRule {
  return { action: 'cut', direction: 'toWorker', kind: 'apply', phase, fromStep, times };
}

// They wait for connections most of the time.
describe('workers from elsewhere', { concurrency: 3 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', [...SAME]);
    await Promise.all([workplace.quietRun('few', FEW), workplace.quietRun('local', LOCAL)]);
  });
  after(() => workplace.remove());

  function join(address: string, options: readonly string[] = []): Program {
    return workplace.startWorker(['--coordinator', address, ...options]);
  }

  async function steps(run: string, count: number): Promise<void> {
    await until(`${count} steps`, async () => (await stepsDone(workplace.path(run))) >= count, 60_000);
  }

  async function expectTheQuietRun(
    run: string,
    program: Program,
    workers: readonly Program[],
    quiet = 'quiet',
  ): Promise<readonly string[]> {
    const { code, lines } = await program.ended().catch((error: unknown) => {
      const said = workers.map((worker, number) => `worker ${number}:\n${worker.lines.join('\n')}`);
      throw new Error([messageOf(error), ...said].join('\n'), { cause: error });
    });
    assert.equal(code, 0, lines.join('\n'));
    await expectSameRun(workplace.path(run), workplace.path(quiet), lines.join('\n'));
    for (const worker of workers) {
      const ending = await worker.ended();
      assert.equal(ending.code, 0, ending.lines.join('\n'));
    }
    return lines;
  }

  /** Of a run that went on with what its workers held. */
  function expectNoReturn(lines: readonly string[]): void {
    assert.deepEqual(
      lines.filter((line) => /returning to|restarting from/.test(line)),
      [],
    );
  }

  async function openNetwork(t: TestContext, run: ExternalRun): Promise<TcpProxy> {
    const network = await TcpProxy.open(run.address);
    t.after(() => network.close());
    return network;
  }

  it('go on, the same processes, with a coordinator that takes the place of one that was killed', async () => {
    const run = await ExternalRun.start(workplace, 'killed', [...WORKERS, ...SAME]);
    const workers = [0, 1].map(() => join(run.address));
    await steps('killed', 30);
    run.program.signal('SIGKILL');
    await run.program.ended();
    const loaded = workers.map(({ lines }) => lines.length);
    for (const worker of workers) await worker.line(/^lost the coordinator, connecting again: /);
    const { program } = run.resumed(workplace, 'killed');
    await program.line(/^resuming in killed: .* 2 workers/);
    await expectTheQuietRun('killed', program, workers);
    workers.forEach(({ lines }, worker) => {
      // TensorFlow says so when it is loaded; these say only that they have lost their coordinator.
      const since = lines.slice(loaded[worker]).filter((line) => !line.startsWith('lost the coordinator'));
      assert.deepEqual(since, []);
    });
  });

  it('end in one line where no other coordinator comes', async () => {
    const run = await ExternalRun.start(workplace, 'left', ['--workers', '1', ...ENDLESS]);
    const worker = join(run.address, ['--reconnect-timeout', '1']);
    await run.program.line(/^training in/);
    run.program.signal('SIGKILL');
    const { code, lines } = await worker.ended();
    assert.equal(code, 1);
    const said = lines.filter((line) => line.startsWith('worker: '));
    assert.equal(said.length, 1, lines.join('\n'));
    assert.match(said[0], new RegExp(`^worker: nobody answers at ${run.address} for 1 s: `));
  });

  for (const topology of ['star', 'ring'])
    it(`go on from their state when the network of all was cut for longer than silence is put up with, as a ${topology}`, async (t) => {
      const name = `cut-${topology}`;
      const run = await ExternalRun.start(workplace, name, [...WORKERS, ...SAME, '--topology', topology]);
      const network = await openNetwork(t, run);
      const workers = [0, 1].map(() => join(network.address));
      await steps(name, 30);
      network.stall();
      await until('both to be missed', async () => (await run.losses()) >= 2);
      const done = await stepsDone(workplace.path(name));
      assert.ok(done < STEPS);
      assert.ok(workers.every(({ pid }) => isAlive(pid)));
      network.resume();
      expectNoReturn(await expectTheQuietRun(name, run.program, workers));
    });

  // Each of them is cut off at the same moment; the first time, again when it is told to apply what was made again.
  for (const [name, options, quiet, rules, again] of [
    [
      'an update of either network, as a ring',
      [...FEW, '--topology', 'ring'],
      'few',
      [cutBeforeApply('discriminator', 12, 2), cutBeforeApply('generator', 20, 1)],
      [
        "the discriminator's update of step 12",
        "the discriminator's update of step 12",
        "the generator's update of step 20",
      ],
    ],
    [
      'local steps, as a ring',
      [...LOCAL, '--topology', 'ring'],
      'local',
      [cutBeforeApply('local', 9, 2), cutBeforeApply('local', 40, 1)],
      ['the local steps up to step 12', 'the local steps up to step 12', 'the local steps up to step 40'],
    ],
  ] as const)
    it(`make ${name}, again where none of them heard the word to apply it`, async (t) => {
      const folder = `again-${quiet}`;
      const both = ['--min-workers', '2'];
      const run = await ExternalRun.start(workplace, folder, [...WORKERS, ...both, ...options]);
      const networks = await Promise.all([0, 1].map(() => MessageProxy.open(run.address, { rules })));
      t.after(() => Promise.all(networks.map((network) => network.close())));
      const workers = networks.map(({ address }) => join(address));
      const lines = await expectTheQuietRun(folder, run.program, workers, quiet);
      expectNoReturn(lines);
      const said = lines.flatMap(
        (line) => / the state after (.*) any more: it is made again/.exec(line)?.[1] ?? [],
      );
      assert.deepEqual(said, again);
      assert.deepEqual(
        networks.map(({ faults }) => faults.length),
        [again.length, again.length],
      );
    });

  it('are not lost to a network that takes 200 ms each way', async (t) => {
    const few = ['--shards', '2', '--steps', '6', '--sample-every', '0'];
    const run = await ExternalRun.start(workplace, 'slow', ['--workers', '2', ...few]);
    const network = await openNetwork(t, run);
    network.latency = 200;
    const begin = performance.now();
    for (let worker = 0; worker < 2; worker++) join(network.address);
    await steps('slow', 5);
    assert.equal(await run.losses(), 0);
    const { code, lines } = await run.program.ended();
    assert.equal(code, 0, lines.join('\n'));
    // Two phases a step, each there and back.
    assert.ok(performance.now() - begin > 6 * 2 * 400);
    assert.deepEqual(
      await readNumbers(workplace.path('slow')),
      (await readNumbers(workplace.path('quiet'))).slice(0, 6),
    );
  });

  it('get state and shards when they come late', async () => {
    const options = ['--shards', '3', '--batch-size', '12'];
    const run = await ExternalRun.start(workplace, 'late', [
      ...['--workers', '2', '--max-workers', '3', ...options, ...ENDLESS, '--checkpoint-every', '0'],
    ]);
    for (let worker = 0; worker < 2; worker++) join(run.address);
    await steps('late', 10);
    await workplace.makeCache('empty');
    workplace.startWorker(['--coordinator', run.address], 'empty');
    await run.program.line(/^worker 2 \(pid \d+ on \S+\) joins$/);
    const hosts = async (): Promise<number[]> =>
      (await readStats(workplace.path('late'))).map(({ workers }) => workers);
    await until('steps of three', async () => (await hosts()).filter((workers) => workers === 3).length > 5);
    assert.deepEqual([...new Set(await hosts())], [2, 3]);
    run.program.signal('SIGINT');
    assert.equal((await run.program.ended()).code, 0);

    const count = String(await stepsDone(workplace.path('late')));
    const alone = await workplace.run('alone', ['--single-node', ...options, '--steps', count]);
    assert.equal(alone.code, 0, alone.lines.join('\n'));
    await expectSameRun(workplace.path('late'), workplace.path('alone'));
  });
});
