import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Content } from '../src/wire/message.js';
import type { Phase } from '../src/model/phase.js';
import { ExternalRun } from './support/trainer/external-run.js';
import type { Ending, Program } from './support/trainer/program.js';
import { expectSameRun, readStats, type Stats } from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import type { Direction, FaultAction, FaultRule } from './support/wire/fault-plan.js';
import { MessageProxy } from './support/wire/message-proxy.js';
import { until } from './support/wire/until.js';

const STEPS = 80;
// As a star, so that gradients pass through this network too.
const SAME = [
  ...['--shards', '2', '--steps', String(STEPS), '--sample-every', '0', '--checkpoint-every', '8'],
  ...['--topology', 'star'],
];

/** A kind of message in a run's life. One of which some pass unharmed comes on a connection that was made again. */
interface Moment extends Omit<FaultRule, 'action' | 'direction'> {
  readonly direction: Direction;
}

/**
 * To and from the worker that comes second, and has no images. Faults are some steps apart: a machine whose workers are
 * lost again and again without a step between them is given up.
 */
const SECOND: Readonly<Record<string, Moment>> = {
  hello: { direction: 'toCoordinator', kind: 'hello' },
  welcome: { direction: 'toWorker', kind: 'welcome' },
  assignment: { direction: 'toWorker', kind: 'assignment' },
  images: { direction: 'toWorker', kind: 'chunk', content: Content.IMAGES },
  ready: { direction: 'toCoordinator', kind: 'ready', after: 4 },
  prepared: { direction: 'toCoordinator', kind: 'prepared', after: 4 },
  stop: { direction: 'toWorker', kind: 'stop' },
};

/** What a phase consists of, from this step on, some steps apart. Vectors come in chunks, or are placed in shared memory. */
function ofPhase(
  phase: Phase,
  step: number,
  kind: 'chunk' | 'sharedChunk',
): Readonly<Record<string, Moment>> {
  return {
    [`compute, ${phase}`]: { direction: 'toWorker', kind: 'compute', phase, fromStep: step },
    [`gradient, ${phase}`]: {
      ...{ direction: 'toCoordinator', kind, content: Content.GRADIENT, phase, fromStep: step + 8 },
    },
    [`shard done, ${phase}`]: { direction: 'toCoordinator', kind: 'shardDone', phase, fromStep: step + 16 },
    [`average, ${phase}`]: {
      ...{ direction: 'toWorker', kind, content: Content.AVERAGE, phase, fromStep: step + 24 },
    },
    [`apply, ${phase}`]: { direction: 'toWorker', kind: 'apply', phase, fromStep: step + 32 },
  };
}

/**
 * To and from the worker that comes first, whose state the checkpoints are made of. Each is of another checkpoint: the
 * first ones may be copies for the other worker, before the first step.
 */
const FIRST: Readonly<Record<string, Moment>> = {
  snapshot: { direction: 'toWorker', kind: 'snapshot', content: Content.STATE, after: 3 },
  'snapshot taken': { direction: 'toCoordinator', kind: 'snapshotTaken', content: Content.STATE, after: 4 },
  fetch: { direction: 'toWorker', kind: 'fetch', content: Content.STATE, after: 5 },
  state: { direction: 'toCoordinator', kind: 'chunk', content: Content.STATE, after: 6 },
};

/** The last step takes so long, in milliseconds, that the metrics can be read when all faults have been. */
const LAST_STEP = {
  action: 'delay',
  kind: 'compute',
  fromStep: STEPS,
  times: 1,
  milliseconds: 1_500,
} as const;

/** Where vectors lie in shared memory; in the other runs, messages carry them. */
const SHARED: readonly FaultAction[] = ['duplicate', 'reorder', 'cut'];

const ACTIONS = ['drop', 'duplicate', 'reorder', 'corrupt', 'cut', 'delay'] as const;

// They wait for connections most of the time.
describe('a run', { concurrency: 3 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', [...SAME]);
  });
  after(() => workplace.remove());

  async function proxyTo(t: TestContext, run: ExternalRun, rules: readonly FaultRule[]) {
    const proxy = await MessageProxy.open(run.address, { rules });
    t.after(() => proxy.close());
    return proxy;
  }

  async function expectTheSame(run: string, { code, lines }: Ending, quiet: string): Promise<void> {
    assert.equal(code, 0, lines.join('\n'));
    await expectSameRun(workplace.path(run), workplace.path(quiet));
  }

  for (const action of ACTIONS)
    it(`has the numbers of a quiet one although its network does this to every kind of message: ${action}`, async (t) => {
      const workers = ['--workers', '2', '--min-workers', '2', '--liveness-timeout', '4'];
      const shares = SHARED.includes(action);
      const sharing = shares ? [] : ['--no-shared-memory'];
      const run = await ExternalRun.start(workplace, action, [...workers, ...SAME, ...sharing]);
      const kind = shares ? 'sharedChunk' : 'chunk';
      const moments = {
        ...SECOND,
        ...ofPhase('discriminator', 4, kind),
        ...ofPhase('generator', 44, kind),
      };
      // What is late costs no connection, and then no later one comes.
      const after = (moment: Moment): number => (action === 'delay' ? 0 : (moment.after ?? 0));
      const rule = (moment: Moment): FaultRule => ({
        ...{ ...moment, action, after: after(moment), times: 1, milliseconds: 300 },
      });
      const first = await proxyTo(t, run, [...Object.values(FIRST).map(rule), LAST_STEP]);
      const second = await proxyTo(t, run, Object.values(moments).map(rule));
      const start = ({ address }: MessageProxy, cache: string): Program =>
        workplace.startWorker(['--coordinator', address, '--reconnect-timeout', '3'], cache);

      const one = start(first, 'cache');
      await run.ready(1);
      const cache = `cache of ${action}`;
      await workplace.makeCache(cache);
      const other = start(second, cache);
      await until(
        'the last step',
        () => first.faults.some((fault) => fault.rule === LAST_STEP),
        150_000,
      ).catch((error: unknown) => {
        throw new Error(run.program.lines.join('\n'), { cause: error });
      });
      const metrics = await run.metrics();
      const ending = await run.program.ended();
      await expectTheSame(action, ending, 'quiet');

      const counts = [...metrics].filter(([name]) => /_losses_|_rejected_/.test(name));
      const story = `${ending.lines.join('\n')}\n${JSON.stringify(counts)}`;
      assert.equal(first.faults.length, Object.keys(FIRST).length + 1, story);
      assert.equal(second.faults.length, Object.keys(moments).length, story);
      const counted = (name: string, reasons: readonly string[]): number[] =>
        reasons.map((reason) => metrics.get(`dcgan_${name}_total{reason="${reason}"}`) ?? NaN);
      // Which end notices first decides how it is counted, and whether a fault in the handshake of a connection that is
      // given up anyway is noticed at all.
      const [silent, garbled, overdue, exited] = counted('worker_losses', [
        'silent',
        'garbled',
        'overdue',
        'exited',
      ]);
      assert.deepEqual([overdue, exited], [0, 0], story);
      const faults = first.faults.length + second.faults.length;
      const lost = silent + garbled;
      assert.ok(action === 'delay' ? lost === 0 : lost >= faults / 2, story);
      const rejected = counted('wire_rejected', ['out_of_sequence', 'undecodable', 'unexpected']);
      const garbles = action !== 'delay' && action !== 'cut';
      assert.equal(
        rejected.some((each) => each > 0),
        garbles,
        story,
      );

      assert.equal((await one.ended()).code, 0);
      // Who was not told that the run is over waits for its coordinator, and ends when that does not come back.
      const { code, lines } = await other.ended();
      if (action === 'duplicate' || action === 'delay') assert.equal(code, 0, lines.join('\n'));
      else
        assert.match(
          `${code} ${lines.at(-1)}`,
          /^1 worker: nobody answers at tcp:\S+ for 3 s: is the coordinator/,
        );
    });

  it('gives its state to a worker that comes late over such a network', async (t) => {
    const options = ['--workers', '1', '--max-workers', '2', '--shards', '2', '--liveness-timeout', '4'];
    const run = await ExternalRun.start(workplace, 'late', [
      ...options,
      ...ENDLESS,
      '--checkpoint-every',
      '0',
    ]);
    const once = (moment: Moment, actions: readonly FaultAction[]): FaultRule[] =>
      actions.map((action) => ({ ...moment, action, times: 1, milliseconds: 300 }));
    // Each time that it comes, it meets the next of these. A chunk that comes twice is the last: the first is the whole
    // state, with which the worker may come back before a step was done without it.
    const faults = [
      ...once({ direction: 'toCoordinator', kind: 'fetch', content: Content.STATE }, ACTIONS),
      ...once({ direction: 'toWorker', kind: 'chunk', content: Content.STATE }, [
        ...(['drop', 'reorder', 'corrupt', 'cut', 'duplicate'] as const),
      ]),
    ];
    const late = await proxyTo(t, run, faults);
    workplace.startWorker(['--coordinator', run.address]);
    await run.program.line(/^training in/);
    const comer = workplace.startWorker(['--coordinator', late.address]);
    const steps = (): Promise<readonly Stats[]> => readStats(workplace.path('late'));
    await until('all faults', () => late.faults.length === faults.length, 150_000).catch((error: unknown) => {
      throw new Error([JSON.stringify(late.faults), ...run.program.lines, '--', ...comer.lines].join('\n'), {
        cause: error,
      });
    });
    const done = (await steps()).length;
    await until('a step of both', async () =>
      (await steps()).slice(done + 1).some(({ workers }) => workers === 2),
    );
    // A second fetch may cost the connection that the first chunk is lost on.
    const lossy = faults.filter(({ action }) => action !== 'delay').length;
    assert.ok([lossy - 1, lossy].includes(await run.losses()), run.program.lines.join('\n'));
    run.program.signal('SIGINT');
    const ending = await run.program.ended();
    const count = String((await steps()).length);
    const alone = await workplace.run('alone', ['--single-node', '--shards', '2', '--steps', count]);
    assert.equal(alone.code, 0, alone.lines.join('\n'));
    await expectTheSame('late', ending, 'alone');
  });
});
