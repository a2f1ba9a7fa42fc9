import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { Link } from '../src/wire/link.js';
import { Listener } from '../src/wire/listener.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcgan-trainer-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const bind = (path: string): Promise<Listener> => Listener.bind(`ipc://${path}`, new TrafficLog());

function refusal(cause: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^cannot listen for workers at ipc:\/\/\S+: /);
    assert.match(error.message, cause);
    assert.match(error.message, /; give another with --listen$/);
    return true;
  };
}

async function expectService(t: TestContext, listener: Listener): Promise<void> {
  const link = Link.connect(listener.address, new TrafficLog(), () => undefined);
  t.after(() => link.close());
  await link.send(MESSAGES[0]);
  for await (const { message } of listener.messages()) {
    assert.equal(message?.kind, 'hello');
    break;
  }
}

/** What a process leaves that listened there and was killed. */
async function leaveDeadSocket(path: string): Promise<void> {
  const program = `require('net').createServer().listen(process.argv[1], () => console.log('listening'))`;
  const child = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(path));
}

describe('a listener at a path', () => {
  it('is reached there, and leaves nothing in the folder', async (t) => {
    const folder = await newFolder(t);
    const listener = await bind(join(folder, 'socket'));
    assert.equal(listener.address, `ipc://${folder}/socket`);
    assert.deepEqual(await readdir(folder), ['socket']);
    await expectService(t, listener);
    await listener.close();
    assert.deepEqual(await readdir(folder), []);
  });

  it('replaces no file, folder or link', async (t) => {
    const folder = await newFolder(t);
    const path = join(folder, 'notes.txt');
    await writeFile(path, 'precious');
    await symlink(path, join(folder, 'link'));
    for (const there of [path, folder, join(folder, 'link')])
      await assert.rejects(bind(there), refusal(/there is a file of this name that is not a socket/));
    assert.equal(await readFile(path, 'utf8'), 'precious');
    assert.deepEqual((await readdir(folder)).sort(), ['link', 'notes.txt']);
  });

  it('does not take the path of one that lives, which goes on', async (t) => {
    const folder = await newFolder(t);
    const path = join(folder, 'socket');
    const first = await bind(path);
    t.after(() => first.close());
    await assert.rejects(bind(path), refusal(/it is taken/));
    await expectService(t, first);
    assert.deepEqual(await readdir(folder), ['socket']);

    const others = createServer().listen(join(folder, 'others'));
    t.after(() => others.close());
    await once(others, 'listening');
    await assert.rejects(bind(join(folder, 'others')), refusal(/it is taken/));
  });

  it('replaces the socket of a process that has ended, and of two that try one gets it', async (t) => {
    const folder = await newFolder(t);
    const path = join(folder, 'socket');
    await leaveDeadSocket(path);
    const attempts = await Promise.allSettled([bind(path), bind(path), bind(path)]);
    const listeners = attempts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    t.after(() => Promise.all(listeners.map((each) => each.close())));
    assert.equal(listeners.length, 1);
    await expectService(t, listeners[0]);
    assert.deepEqual(await readdir(folder), ['socket']);
  });

  it('leaves a file alone that took its place', async (t) => {
    const folder = await newFolder(t);
    const path = join(folder, 'socket');
    const listener = await bind(path);
    await rm(path);
    await writeFile(path, 'another');
    await listener.close();
    assert.equal(await readFile(path, 'utf8'), 'another');
  });

  it('is refused in one line where there can be none', async (t) => {
    const folder = await newFolder(t);
    await assert.rejects(bind(join(folder, 'missing', 'socket')), refusal(/its folder does not exist/));
    await assert.rejects(bind(join(folder, 'a'.repeat(110))), refusal(/its path is too long for a socket/));
  });
});
