import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runChild } from '../src/data/child-job.js';
import { isAlive } from './support/trainer/processes.js';
import { Program } from './support/trainer/program.js';
import { until } from './support/wire/until.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COORDINATOR = Program.pathOf('coordinator');

/** A module of the program, or of the set-up. */
const built = (path: string): string => JSON.stringify(new URL(`../${path}`, import.meta.url).href);
const script = (name: string): string =>
  JSON.stringify(new URL(`../../scripts/${name}`, import.meta.url).href);

/** Runs a module that is given as text, in a process that hands messages to this one. */
function runModule(
  code: string,
  stdio: readonly ('ignore' | 'pipe' | 'inherit' | number)[] = ['ignore', 'pipe', 'pipe'],
  [command, ...args]: readonly string[] = [process.execPath],
  options: { readonly detached?: boolean; readonly env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  return spawn(command, [...args, '--input-type=module', '-e', code], {
    cwd: ROOT,
    stdio: [...stdio, 'ipc'],
    ...options,
  });
}

type End = readonly [number | null, NodeJS.Signals | null];

async function ended(child: ChildProcess): Promise<End> {
  return (await once(child, 'exit')) as unknown as End;
}

describe('the console', () => {
  const logs = `
    import { outliveConsole } from ${built('src/common/console.js')};
    import { say } from ${built('src/common/log.js')};
    outliveConsole();
    process.once('message', () => {
      let lines = 0;
      const timer = setInterval(() => {
        say('a line');
        if (++lines < 50) return;
        clearInterval(timer);
        process.send(lines, () => process.disconnect());
      });
    });`;

  it('may lose its reader: the program goes on', async () => {
    const child = runModule(logs);
    const end = ended(child);
    child.stderr?.destroy();
    child.send('go');
    assert.deepEqual(await once(child, 'message'), [50, undefined]);
    assert.deepEqual(await end, [0, null]);
  });

  it('may be a file on a disk that is full', async () => {
    const full = openSync('/dev/full', 'w');
    try {
      const child = runModule(logs, ['ignore', 'ignore', full]);
      const end = ended(child);
      child.send('go');
      assert.deepEqual(await once(child, 'message'), [50, undefined]);
      assert.deepEqual(await end, [0, null]);
    } finally {
      closeSync(full);
    }
  });

  /** `coordinator ARGS` with its stdout there; undefined: to a reader that is gone already. */
  async function coordinator(args: readonly string[], stdout?: number) {
    const child = spawn(process.execPath, [COORDINATOR, ...args], {
      stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
    });
    const end = ended(child);
    child.stdout?.destroy();
    const said = await text(child.stderr as NodeJS.ReadableStream);
    return { code: (await end)[0], said };
  }

  for (const args of [['summary'], ['train', '--dry-run'], ['--help-all']]) {
    const command = args.join(' ');

    it(`fails \`${command}\` in one line if its output cannot be written`, async () => {
      const full = openSync('/dev/full', 'w');
      try {
        const { code, said } = await coordinator(args, full);
        assert.equal(code, 1);
        assert.match(
          said,
          /^coordinator: cannot write to stdout: ENOSPC: .*; redirect it to where [^\n]*\n$/,
        );
      } finally {
        closeSync(full);
      }
    });

    it(`ends \`${command}\` without a word if nobody reads it`, async () => {
      assert.deepEqual(await coordinator(args), { code: 0, said: '' });
    });
  }

  it('of the set-up may lose its reader: its tools go on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-tool-'));
    try {
      const done = join(folder, 'done');
      const tool = `for i in $(seq 2000); do echo a line that a tool prints >&2 || exit 9; done; echo all > ${done}`;
      const child = runModule(`
        import { orExit, runTool } from ${script('tool.mjs')};
        await orExit(new Promise((resolve) => process.once('message', resolve)));
        await orExit(runTool('the tool', 'sh', ['-c', ${JSON.stringify(tool)}]));
        process.disconnect();`);
      const end = ended(child);
      child.stderr?.destroy();
      child.send('go');
      assert.deepEqual(await end, [0, null]);
      assert.equal(await readFile(done, 'utf8'), 'all\n');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a hangup', () => {
  const heeds = `
    import { hasOutlivedHangup, heedHangups } from ${script('hangup.mjs')};
    heedHangups();
    setInterval(() => hasOutlivedHangup() && process.send('outlived'), 10);
    process.on('message', () => process.exit(7));
    process.send(process.pid);`;

  /** Starts it so and hangs up on it: what it says then, or how it ends. */
  async function hangUp(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<unknown> {
    const child = runModule(heeds, ['ignore', 'ignore', 'inherit'], command, {
      detached: true,
      env: { ...process.env, _: '', ...env },
    });
    const end = ended(child);
    const [pid] = (await once(child, 'message')) as [number];
    const outlived = once(child, 'message');
    process.kill(pid, 'SIGHUP');
    const seen = await Promise.race([outlived, end]);
    if (seen[0] !== 'outlived') return seen;
    child.send('end');
    await end;
    return 'outlived';
  }

  it('ends a program that has nothing to finish', async () => {
    assert.deepEqual(await hangUp([process.execPath]), [null, 'SIGHUP']);
  });

  it('is ignored where a shell of the group ignores it', async () => {
    const shell = ['sh', '-c', `trap '' HUP; "$@"; exit $?`, 'sh', process.execPath];
    assert.equal(await hangUp(shell), 'outlived');
  });

  it('is ignored under nohup, which shells name in the environment', async () => {
    assert.equal(await hangUp(['bash', '-c', 'nohup "$@"; exit $?', 'bash', process.execPath]), 'outlived');
    assert.equal(await hangUp([process.execPath], { _: '/usr/bin/nohup' }), 'outlived');
  });
});

describe('signals that ask to stop', () => {
  const counts = (npm: boolean): string => `
    import { heedHangups } from ${script('hangup.mjs')};
    import { followNpm } from ${script('npm-parent.mjs')};
    import { onStopSignals } from ${built('src/common/process/stop-signals.js')};
    heedHangups();
    ${npm ? `followNpm('start');` : ''}
    const heard = [];
    onStopSignals((signal, isInsisted) => heard.push([signal, isInsisted]));
    process.on('SIGUSR2', () => process.send(heard, () => process.exit(0)));
    setInterval(() => undefined, 1_000);
    process.send('ready');`;

  /** What the program makes of these, each sent when the one before has been delivered. */
  async function receive(signals: readonly NodeJS.Signals[], npm = false): Promise<unknown[]> {
    const child = runModule(counts(npm), ['ignore', 'ignore', 'inherit'], [process.execPath], {
      detached: true,
      env: { ...process.env, _: '', npm_lifecycle_event: 'start' },
    });
    const end = ended(child);
    await once(child, 'message');
    const heard = once(child, 'message');
    for (const signal of [...signals, 'SIGUSR2'] as const) {
      child.kill(signal);
      // Taken from the pending ones, and by then in the program's own queue, which keeps their order.
      await until(`${signal} to be delivered`, async () => isTaken(child.pid ?? NaN), undefined, 5);
    }
    const [answer] = (await heard) as [unknown[]];
    await end;
    return answer;
  }

  async function isTaken(pid: number): Promise<boolean> {
    if (!isAlive(pid)) return true;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return !/^ShdPnd:\s*0*[1-9a-f]/m.test(status);
  }

  it('insist when they come again', async () => {
    assert.deepEqual(await receive(['SIGINT', 'SIGINT']), [
      ['SIGINT', false],
      ['SIGINT', true],
    ]);
  });

  it('insist neither by hangups nor after one: a terminal that closes sends several', async () => {
    assert.deepEqual(await receive(['SIGHUP', 'SIGHUP', 'SIGTERM', 'SIGHUP', 'SIGTERM']), [
      ['SIGHUP', false],
      ['SIGTERM', false],
      ['SIGTERM', true],
    ]);
  });

  it('do not insist by the copy that npm passes on', async () => {
    assert.deepEqual(await receive(['SIGINT', 'SIGINT'], true), [['SIGINT', false]]);
  });

  it('reach the scripts that npm runs without a shell between', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Readonly<Record<string, string>>;
    };
    assert.match(scripts['start'], /^exec node /);
    assert.match(scripts['worker'], /^exec node /);
  });
});

describe('after a failure', () => {
  it('a program ends, whatever it has open', async () => {
    const child = runModule(`
      import { createServer } from 'node:net';
      import { Worker } from 'node:worker_threads';
      import { Command } from 'commander';
      import { runProgram } from ${built('src/common/process/program.js')};
      const stuck = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
      await runProgram(new Command('trial').action(async () => {
        createServer().listen(0, '127.0.0.1');
        new Worker(stuck, { eval: true });
        process.on('message', () => undefined);
        throw new Error('no memory');
      }), []);`);
    const end = ended(child);
    assert.equal(await text(child.stderr as NodeJS.ReadableStream), 'trial: no memory\n');
    assert.deepEqual(await end, [1, null]);
  });

  it('a job of a child process ends too, with its answer', async () => {
    const done = await runChild<object, never, object>({
      name: 'that stays open',
      entry: new URL('./support/trainer/open-job.js', import.meta.url),
      request: {},
      onEvent: () => undefined,
    });
    assert.deepEqual(done, { isDone: true });
  });
});
