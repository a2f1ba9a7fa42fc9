import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { RunFolder } from '../src/run/run-directory.js';
import { RunLock } from '../src/run/run-lock.js';
import { until } from './support/wire/until.js';

/** Says "ready"; at a line of its stdin takes each of the runs, says which it has, and holds them. */
const TAKER = `
  const { RunFolder } = await import(${JSON.stringify(new URL('../src/run/run-directory.js', import.meta.url).href)});
  const { RunLock } = await import(${JSON.stringify(new URL('../src/run/run-lock.js', import.meta.url).href)});
  const runs = await Promise.all(process.argv.slice(1).map((path) => RunFolder.open(path)));
  console.log('ready');
  process.stdin.once('data', async () => {
    const has = [];
    for (const run of runs) {
      try {
        has.push(await RunLock.take(run) && run.path);
      } catch (error) {
        if (error.name !== 'UserError' || !/is in use by/.test(error.message)) has.push(String(error));
      }
    }
    console.log(JSON.stringify(has));
  });`;

describe("a run's lock", () => {
  let folder: string;
  let run: RunFolder;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    run = await makeRun('run');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await end(child);
    await rm(folder, { recursive: true });
  });

  async function makeRun(name: string): Promise<RunFolder> {
    const made = await RunFolder.create(join(folder, name));
    await made.writeOptions({});
    return made;
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Another process that is ready to take these runs, and its lines. */
  async function taker(paths: readonly string[]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', TAKER, ...paths], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async (): Promise<string> => (await lines.next()).value as string;
    assert.equal(await line(), 'ready');
    return {
      child,
      take: async (): Promise<string[]> => {
        child.stdin.write('go\n');
        return JSON.parse(await line()) as string[];
      },
    };
  }

  async function expectFree(): Promise<void> {
    await (await RunLock.take(run)).release();
    assert.deepEqual((await readdir(run.path)).sort(), ['checkpoints', 'options.json', 'samples']);
  }

  function expectRefused(line: RegExp, of = run): Promise<void> {
    return assert.rejects(
      RunLock.take(of),
      (error) => error instanceof UserError && line.test(error.message),
    );
  }

  /** The lock of a process that is as a real one but for this. */
  async function leaveLock(changes: object): Promise<void> {
    const lock = await RunLock.take(run);
    const holder = JSON.parse(await readFile(run.lockFile, 'utf8')) as object;
    await lock.release();
    await writeFile(run.lockFile, JSON.stringify({ ...holder, ...changes }));
  }

  it('is held by one at a time, by whatever path, and leaves nothing', async () => {
    const lock = await RunLock.take(run);
    const held = new RegExp(`(run|link) is in use by process ${process.pid} of this machine: wait until`);
    await expectRefused(held);
    await symlink(run.path, join(folder, 'link'));
    await expectRefused(held, await RunFolder.open(join(folder, 'link')));
    assert.equal((await readdir(run.path)).filter((name) => name.startsWith('run.lock')).length, 1);
    await lock.release();
    await expectFree();
  });

  it('is taken over at once from a process of this machine that is gone', async () => {
    const other = await taker([run.path]);
    assert.deepEqual(await other.take(), [run.path]);
    await expectRefused(new RegExp(`in use by process ${other.child.pid} of this machine`));
    await end(other.child);
    await expectFree();
    // Its number belongs to another process now, such as this one.
    await leaveLock({ started: '1' });
    await expectFree();
  });

  it('of another machine counts as long as it is touched', async () => {
    for (const elsewhere of [{ host: 'node-7' }, { namespace: 'pid:[1]' }]) {
      await leaveLock(elsewhere);
      await expectRefused(
        /run is in use by process \d+ on \S+, which was there \d+ s ago: if it has ended, try again in \d+ s$/,
      );
      const old = new Date(Date.now() - 61_000);
      await utimes(run.lockFile, old, old);
      await expectFree();
    }
  });

  it('that says nothing counts until it is old', async () => {
    for (const text of ['', '{"token":"../../x","pid":1}', '{"token":']) {
      await writeFile(run.lockFile, text);
      await expectRefused(/run is in use by another process, which was there \d s ago/);
      const old = new Date(Date.now() - 61_000);
      await utimes(run.lockFile, old, old);
      await expectFree();
    }
  });

  it('is touched while it is held', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const lock = await RunLock.take(run);
    const old = new Date(Date.now() - 61_000);
    await utimes(run.lockFile, old, old);
    const text = await readFile(run.lockFile, 'utf8');
    t.mock.timers.tick(10_000);
    await until('a touch', async () => (await stat(run.lockFile)).mtimeMs > Date.now() - 30_000);
    assert.equal(await readFile(run.lockFile, 'utf8'), text);
    await lock.release();
  });

  it('is looked after by its holder once that has stood still for longer than other machines believe it', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const lock = await RunLock.take(run);
    const own = await readFile(run.lockFile, 'utf8');
    const other = JSON.stringify({
      ...(JSON.parse(own) as object),
      host: 'b',
      pid: 7,
      token: 'a'.repeat(32),
    });
    const theirs = join(folder, 'theirs');
    await writeFile(theirs, other);
    await rename(theirs, run.lockFile);
    // A lock that was touched just now cannot be another's: it is not looked at with each step.
    await lock.requireHeld();
    t.mock.timers.tick(61_000);
    await assert.rejects(
      lock.requireHeld(),
      /^Error: process 7 on b has taken over .*run while this process stood still: this one writes nothing more to it$/,
    );
    await lock.release();
    assert.equal(await readFile(run.lockFile, 'utf8'), other, 'the lock of another is left alone');
    await rm(run.lockFile);

    // One that nobody has taken over is its own again, and touched at once.
    const kept = await RunLock.take(run);
    t.mock.timers.tick(61_000);
    const old = new Date(Date.now() - 100_000_000);
    await utimes(run.lockFile, old, old);
    await kept.requireHeld();
    assert.notEqual((await stat(run.lockFile)).mtimeMs, old.getTime());
    await kept.release();
  });

  it('is won by exactly one of many who want it at once, a stale one too', async () => {
    const runs = await Promise.all(Array.from({ length: 40 }, (_, index) => makeRun(`run-${index}`)));
    // Six of the locks are free. The others are those of a process that is gone.
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    await leaveLock({ pid: gone.pid });
    const stale = await readFile(run.lockFile);
    for (const each of runs.slice(6)) await writeFile(each.lockFile, stale);

    const paths = runs.map(({ path }) => path);
    const takers = await Promise.all(Array.from({ length: 8 }, () => taker(paths)));
    const taken = await Promise.all(takers.map(({ take }) => take()));
    assert.deepEqual(taken.flat().sort(), [...paths].sort());
    for (const { path } of runs)
      assert.deepEqual((await readdir(path)).sort(), ['checkpoints', 'options.json', 'run.lock', 'samples']);
  });

  it('cannot be had in a directory that cannot be written to', async () => {
    await chmod(folder, 0o755);
    const bare = join(folder, 'bare');
    await mkdir(bare);
    await writeFile(join(bare, 'options.json'), '{}');
    await chmod(bare, 0o555);
    // Permissions do not bind root.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      await expectRefused(/^cannot write \S*bare\/run\.lock: .*\(EACCES\)/, await RunFolder.open(bare));
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
    assert.deepEqual(await readdir(bare), ['options.json']);
  });
});
