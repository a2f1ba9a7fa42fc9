import assert from 'node:assert/strict';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { Dealer } from 'zeromq';
import { randomStream } from '../src/common/random.js';
import { parsePrometheusText } from './support/prometheus-text.js';
import { freePort } from './support/trainer/free-port.js';
import { childrenOf, isAlive } from './support/trainer/processes.js';
import { Program } from './support/trainer/program.js';
import { expectSameRun, readNumbers, readStats, readTensors } from './support/trainer/run-results.js';
import { ENDLESS, SMALL, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

describe('a run', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  it('is not disturbed by strangers at its port, and counts what they send', async () => {
    const alone = await workplace.run('alone', ['--single-node', '--shards', '2', '--steps', '20']);
    assert.equal(alone.code, 0, alone.lines.join('\n'));

    const port = await freePort();
    const program = workplace.start([
      ...['--data', workplace.images, ...SMALL, ...ENDLESS, '--run-dir', 'visited', '--workers', '2'],
      ...['--listen', `tcp://127.0.0.1:${port}`, '--http', '127.0.0.1:0'],
    ]);
    const [, url] = await program.line(/^metrics at (http:\S+)$/);
    await program.line(/^training in/);
    const rejected = async (): Promise<number> => {
      const families = parsePrometheusText(await (await fetch(url)).text());
      const samples = families.get('dcgan_wire_rejected_total')?.samples.values() ?? [];
      return [...samples].reduce((sum, each) => sum + each, 0);
    };
    assert.equal(await rejected(), 0);

    const stream = randomStream(4, 'strangers');
    for (let stranger = 0; stranger < 10; stranger++) {
      const bytes = Uint8Array.from({ length: 500 }, () => uniformInt(stream, 1, 254));
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      const closed = once(socket, 'close');
      socket.end(bytes);
      await closed;
    }
    await until('each stranger to be counted', async () => (await rejected()) >= 10);

    const before = await rejected();
    const dealer = new Dealer({ linger: 0 });
    dealer.connect(`tcp://127.0.0.1:${port}`);
    for (let message = 0; message < 5; message++) await dealer.send(Buffer.from('let me in'));
    await until('each message to be counted', async () => (await rejected()) >= before + 5);
    dealer.close();

    await until(
      '20 steps',
      async () => (await readStats(workplace.path('visited')).catch(() => [])).length >= 20,
    );
    program.signal('SIGINT');
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.deepEqual(
      (await readNumbers(workplace.path('visited'))).slice(0, 20),
      await readNumbers(workplace.path('alone')),
    );
  });

  it('does not care that somebody moves the clock by an hour', async () => {
    const options = ['--shards', '2', '--steps', '400', '--sample-every', '0'];
    const alone = await workplace.run('in-time', ['--single-node', ...options]);
    assert.equal(alone.code, 0, alone.lines.join('\n'));
    // In coordinator and workers, two seconds after each began.
    const move = `setTimeout(() => {
      const Before = Date;
      globalThis.Date = class extends Before {
        constructor(...given) { given.length > 0 ? super(...given) : super(Before.now() + 3_600_000); }
        static now() { return Before.now() + 3_600_000; }
      };
    }, 2_000).unref();`;
    const { cwd, env } = workplace.place();
    const program = workplace.add(
      Program.start('coordinator', workplace.training('moved', ['--workers', '2', ...options]), {
        cwd,
        env: { ...env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(move)}` },
      }),
    );
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.ok(!lines.some((line) => /^worker/.test(line)), lines.join('\n'));
    assert.deepEqual(
      await readNumbers(workplace.path('moved')),
      await readNumbers(workplace.path('in-time')),
    );
  });

  it('on a disk that is full ends in one line, with nothing half-written', async () => {
    // A limit on the size of files stands for the disk's: too small for a checkpoint, large enough for the rest.
    const node = [process.execPath, '--enable-source-maps', Program.pathOf('coordinator')];
    const prepared = await workplace.run('prepared', ['--single-node', '--steps', '1']);
    assert.equal(prepared.code, 0, prepared.lines.join('\n'));
    const train = workplace.training('full', ['--single-node', '--steps', '2', '--generator-features', '32']);
    const limited = Program.run(
      ['sh', '-c', 'ulimit -f 1000; exec "$@"', 'sh', ...node, ...train],
      workplace.place(),
    );
    const { code, lines } = await workplace.add(limited).ended();
    assert.equal(code, 1);
    const last = lines[lines.length - 1];
    assert.match(last, /^coordinator: .*(EFBIG|disk is full|no space).*; no checkpoint was written yet/i);
    assert.ok(!lines.some((line) => /^ +at /.test(line)), lines.join('\n'));
    assert.deepEqual(await readdir(workplace.path('full/checkpoints')), []);
    const names = await readdir(workplace.path('full'), { recursive: true });
    assert.deepEqual(
      names.filter((name) => name.endsWith('.tmp')),
      [],
    );
    assert.equal((await readStats(workplace.path('full'))).length, 2);
    // The same without the limit has a checkpoint.
    await readTensors(workplace.path('prepared/checkpoints/step-000001.safetensors'));
  });

  describe('with workers, in the middle', () => {
    const STEPS = 400;
    const OPTIONS = [
      ...['--shards', '2', '--steps', String(STEPS), '--sample-every', '0', '--checkpoint-every', '50'],
    ];
    before(async () => {
      await workplace.quietRun('quiet', [...OPTIONS]);
    });

    /** A run that has a checkpoint and steps left to do. */
    async function begin(run: string): Promise<Program> {
      const program = workplace.start(workplace.training(run, ['--workers', '2', ...OPTIONS]));
      // They are written one at a time: with the second in its place, the run knows that the first one is.
      await until('a second checkpoint', () =>
        existsSync(workplace.path(run, 'checkpoints/step-000100.safetensors')),
      );
      return program;
    }

    /** One line says what is wrong, and where to go on. */
    async function expectFault(run: string, program: Program, fault: RegExp): Promise<void> {
      const children = childrenOf(program.pid);
      const { code, lines } = await program.ended();
      assert.equal(code, 1, lines.join('\n'));
      const last = lines[lines.length - 1];
      assert.match(last, fault);
      assert.match(
        last,
        new RegExp(`; the last checkpoint is ${run}/checkpoints/\\S+: resume it with --resume ${run}$`),
      );
      assert.equal(lines.filter((line) => line.startsWith('coordinator: ')).length, 1);
      assert.ok(!lines.some((line) => /^ +at /.test(line)), lines.join('\n'));
      assert.ok(!children.some(isAlive));
    }

    /** With what was wrong put right, nothing is lost. */
    async function expectToGoOn(run: string): Promise<void> {
      const { code, lines } = await workplace.start(['train', '--no-http', '--resume', run]).ended();
      assert.equal(code, 0, lines.join('\n'));
      await expectSameRun(workplace.path(run), workplace.path('quiet'), lines.join('\n'));
    }

    it('ends in one line when its disk is full, and goes on when there is room', async () => {
      const program = await begin('filled');
      // A limit on the size of files stands for the disk's: no file can grow any more.
      execFileSync('prlimit', ['--pid', String(program.pid), '--fsize=1024']);
      await expectFault('filled', program, /^coordinator: .*(EFBIG|disk is full|no space)/i);
      await expectToGoOn('filled');
    });

    it('ends in one line when no checkpoint can be written, and goes on when one can', async () => {
      const program = await begin('blocked');
      const folder = workplace.path('blocked/checkpoints');
      await rename(folder, `${folder}-aside`);
      await writeFile(folder, 'in the way');
      await expectFault('blocked', program, /^coordinator: .*checkpoints/);
      await rm(folder);
      await rename(`${folder}-aside`, folder);
      await expectToGoOn('blocked');
    });
  });
});
