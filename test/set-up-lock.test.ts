import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the lock of a set-up', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-lock-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('lets one process at a time read, wait and write', async () => {
    const counter = join(folder, 'counter');
    await writeFile(counter, '0');
    const program = `
      for (let round = 0; round < 10; round++) await withLock(${JSON.stringify(folder)}, async () => {
        const count = Number(await readFile(${JSON.stringify(counter)}, 'utf8'));
        await setTimeout(3);
        await writeFile(${JSON.stringify(counter)}, String(count + 1));
      });`;
    const processes = [1, 2, 3].map(() => run(program));
    const codes = await Promise.all(
      processes.map(async (child) => (await once(child, 'exit'))[0] as unknown),
    );
    assert.deepEqual(codes, [0, 0, 0]);
    assert.equal(await readFile(counter, 'utf8'), '30');
  });

  it('is taken over by one process at a time where holders are killed, at a long path too', async () => {
    const long = join(folder, 'long'.repeat(30), 'path'.repeat(30));
    const counter = join(folder, 'takeovers');
    await writeFile(counter, '0');
    for (let round = 0; round < 3; round++) {
      const holder = run(
        `await withLock(${JSON.stringify(long)}, () => { say('held'); return setTimeout(60_000); });`,
      );
      assert.equal(await firstLine(holder), 'held');
      const program = `
        await withLock(${JSON.stringify(long)}, async () => {
          const count = Number(await readFile(${JSON.stringify(counter)}, 'utf8'));
          await setTimeout(5);
          await writeFile(${JSON.stringify(counter)}, String(count + 1));
        }, () => say('waits'));`;
      const others = [1, 2, 3].map(() => run(program));
      for (const other of others) assert.equal(await firstLine(other), 'waits');
      const ends = others.map(async (other) => (await once(other, 'exit'))[0] as unknown);
      holder.kill('SIGKILL');
      assert.deepEqual(await Promise.all(ends), [0, 0, 0]);
    }
    assert.equal(await readFile(counter, 'utf8'), '9');
    assert.deepEqual(await readdir(long), []);
  });

  it(
    'does not wait for a stranger who listens on a name that anybody can compute',
    { skip: process.platform !== 'linux', timeout: 60_000 },
    async (t) => {
      const place = join(folder, 'stranger');
      const stranger = createServer();
      const key = createHash('sha256').update(place).digest('hex').slice(0, 24);
      stranger.listen(`\0dcgan-trainer-${key}`);
      t.after(() => stranger.close());
      await once(stranger, 'listening');
      const own = run(
        `await withLock(${JSON.stringify(place)}, async () => say('held'), () => say('waits'));`,
      );
      assert.equal(await firstLine(own), 'held');
    },
  );

  it(
    'refuses the socket of another user in one line',
    { skip: process.geteuid?.() !== 0 && 'only root can become another user', timeout: 60_000 },
    async (t) => {
      await chmod(folder, 0o755);
      const place = join(folder, 'shared');
      await mkdir(place);
      await chmod(place, 0o1777);
      const program = `
        require('node:net').createServer().listen(${JSON.stringify(join(place, '.set-up-0.lock'))}, () => console.log('there'));`;
      const stranger = spawn(process.execPath, ['-e', program], {
        uid: 65_534,
        gid: 65_534,
        cwd: '/',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      t.after(() => stranger.kill('SIGKILL'));
      assert.equal(await firstLine(stranger), 'there');
      const own = run(
        `await withLock(${JSON.stringify(place)}, async () => say('held')).catch(({ code, message }) => say(code + ' ' + message));`,
      );
      assert.match(
        String(await firstLine(own)),
        /^EACCES \S+\.set-up-0\.lock belongs to user 65534, expected user 0; remove/,
      );
    },
  );

  it('is free again when its holder was killed, and tells a second process that it waits', async () => {
    const name = join(folder, 'killed');
    const holder = run(
      `await withLock(${JSON.stringify(name)}, () => { say('held'); return setTimeout(60_000); });`,
    );
    assert.equal(await firstLine(holder), 'held');
    const second = run(
      `await withLock(${JSON.stringify(name)}, async () => say('held'), () => say('waits'));`,
    );
    const lines = linesOf(second);
    assert.equal((await lines.next()).value, 'waits');
    holder.kill('SIGKILL');
    assert.equal((await lines.next()).value, 'held');
  });

  it(
    'stays taken while a program of a killed holder is still at work',
    { skip: !process.platform.startsWith('linux'), timeout: 60_000 },
    async () => {
      const name = join(folder, 'orphan');
      const work = join(folder, 'orphan-work');
      // The program outlives its parent for a while, then finishes its work: only then is the lock to be had.
      // It is told whose child it is: that one may be gone before it looks.
      const program = `
      const parent = Number(process.argv[1]);
      const watch = setInterval(() => {
        if (process.ppid === parent) return;
        clearInterval(watch);
        setTimeout(() => require('node:fs').writeFileSync(${JSON.stringify(work)}, 'done'), 300);
      }, 5);`;
      const holder = run(`
      await withLock(${JSON.stringify(name)}, async (lock) => {
        spawn(process.execPath, ['-e', ${JSON.stringify(program)}, String(process.pid)], { stdio: ['ignore', 'ignore', 'ignore', lock.descriptor] });
        say('held');
        await setTimeout(60_000);
      });`);
      assert.equal(await firstLine(holder), 'held');
      const second = run(`
      await withLock(${JSON.stringify(name)}, async () => say(await readFile(${JSON.stringify(work)}, 'utf8')), () => say('waits'));`);
      const lines = linesOf(second);
      assert.equal((await lines.next()).value, 'waits');
      holder.kill('SIGKILL');
      assert.equal((await lines.next()).value, 'done');
    },
  );
});

/** A process that runs the program with the lock at hand, and says lines on stdout. */
function run(program: string): ChildProcess {
  const imports = `
    import { spawn } from 'node:child_process';
    import { readFile, writeFile } from 'node:fs/promises';
    import { setTimeout } from 'node:timers/promises';
    import { withLock } from '#lock';
    const say = (line) => console.log(line);`;
  return spawn(process.execPath, ['--input-type=module', '--eval', imports + program], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function linesOf(child: ChildProcess): AsyncIterator<string> {
  assert(child.stdout);
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  return (await linesOf(child).next()).value as string | undefined;
}
