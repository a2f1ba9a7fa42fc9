import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AddressSecret, secretPath } from '../src/wire/address-secret.js';
import { Listener } from '../src/wire/listener.js';
import { Segments } from '../src/wire/segments/segments.js';
import { SocketFolder } from '../src/wire/socket-folder.js';
import { TrafficLog } from './support/wire/traffic-log.js';

const skip = process.platform === 'linux' ? false : 'sockets by path are used on Linux only';

const TMPDIR = process.env['TMPDIR'];

/** Another temporary folder while a test runs. */
function useTemporary(t: TestContext, folder: string): void {
  process.env['TMPDIR'] = folder;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dcgan-test-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

describe('a folder for sockets', { skip }, () => {
  it('is open to its user alone, and gone with what is in it', async (t) => {
    const root = temporary(t);
    useTemporary(t, root);
    const folder = SocketFolder.make();
    assert.ok(folder);
    assert.equal(dirname(folder.path), root);
    assert.equal(statSync(folder.path).mode & 0o777, 0o700);
    const listener = await Listener.bind(SocketFolder.addressIn(folder.path), new TrafficLog());
    assert.equal(readdirSync(folder.path).length, 1);
    await listener.close();
    writeFileSync(join(folder.path, 'left'), '');
    folder.remove();
    assert.deepEqual(readdirSync(root), []);
  });

  it('is elsewhere if its path would be too long for a socket, not a folder, or not to be shown', async (t) => {
    const root = temporary(t);
    const long = join(root, 'x'.repeat(100));
    const strange = join(root, 'a\u202eb');
    for (const folder of [long, strange]) mkdirSync(folder);
    for (const bad of [long, strange, join(root, 'missing')]) {
      useTemporary(t, bad);
      const folder = SocketFolder.make();
      assert.ok(folder && !folder.path.startsWith(root), folder?.path);
      // It works: the system takes its address as it is.
      const listener = await Listener.bind(SocketFolder.addressIn(folder.path), new TrafficLog());
      await listener.close();
      folder.remove();
    }
  });

  it('has no address longer than a socket may have', (t) => {
    const root = temporary(t);
    // 81 bytes are the most that leave room for the rest, of 103.
    const fits = join(root, 'x'.repeat(81 - root.length - 1));
    mkdirSync(fits);
    useTemporary(t, fits);
    const folder = SocketFolder.make();
    assert.equal(folder && dirname(folder.path), fits);
    assert.equal(SocketFolder.addressIn(folder?.path ?? '').length, 'ipc://'.length + 103);
    folder?.remove();
  });

  it('is removed when its process exits without saying so', async (t) => {
    const root = temporary(t);
    const url = new URL('../src/wire/socket-folder.js', import.meta.url).href;
    const script = `const { SocketFolder } = await import('${url}'); SocketFolder.make(); process.exit(3);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: root },
    });
    assert.deepEqual(await once(child, 'exit'), [3, null]);
    assert.deepEqual(readdirSync(root), []);
  });
});

describe('the secret of an address', () => {
  it('is in a file of its user, another with each coordinator, and gone with the one that made it', () => {
    const address = `tcp://127.0.0.1:1${basename(import.meta.url).length}`;
    assert.ok(secretPath(address).startsWith(homedir()));
    const first = AddressSecret.offer(address);
    assert.equal(statSync(secretPath(address)).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(secretPath(address))).mode & 0o077, 0);
    const text = AddressSecret.read(address);
    assert.match(text, /^[0-9a-f]{64}$/);
    assert.ok(first.secret.matches(text));
    // As a worker may name it.
    assert.equal(AddressSecret.read(address.replace('127.0.0.1', 'localhost')), text);
    assert.equal(AddressSecret.read(`${address}0`), '');

    const second = AddressSecret.offer(address);
    assert.ok(!second.secret.matches(text));
    first.withdraw();
    assert.ok(second.secret.matches(AddressSecret.read(address)));
    second.withdraw();
    assert.ok(!existsSync(secretPath(address)));
    assert.equal(AddressSecret.read(address), '');
  });
});

describe('memory that is shared', { skip }, () => {
  it('is open to its user alone', async (t) => {
    const segments = await Segments.open(64);
    t.after(() => {
      segments.close();
    });
    const [, descriptor] = segments.name.split(':');
    assert.equal(statSync(`/proc/self/fd/${descriptor}`).mode & 0o777, 0o600);
  });
});
