import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { requireTrusted, requireTrustedPlace } from '../src/common/files/trusted-path.js';
import { makeKeys } from '../src/cli/keys.js';
import { readListenerSecurity } from '../src/wire/key-folder.js';

const isRoot = process.geteuid?.() === 0;
const OTHER = 65_533;

describe('a path that only root and this user can change', { skip: process.platform === 'win32' }, () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-trusted-'));
    await chmod(folder, 0o755);
    await makeKeys(join(folder, 'home/keys'), undefined);
    for (const each of ['home', 'home/keys']) await chmod(join(folder, each), 0o755);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const path = (...names: string[]): string => join(folder, ...names);
  const trusted = (...names: string[]): Promise<void> => requireTrusted(path(...names), 'cannot trust');

  async function refused(promise: Promise<unknown>, fault: RegExp): Promise<void> {
    await assert.rejects(promise, (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, fault);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  }

  it('is trusted below /tmp, through links, and with a part that does not exist', async () => {
    await trusted('home/keys/worker.key');
    await symlink('home', path('link'));
    await trusted('link/keys/worker.key');
    await trusted('home/nowhere/worker.key');
    assert.ok((await readListenerSecurity(path('home/keys'))).admitted.size === 1);
  });

  it('is refused where others can write to the file, its folder, or a folder above', async () => {
    for (const [name, mode, others] of [
      ['home/keys/worker.key', 0o600, [0o666, 0o620, 0o602]],
      ['home/keys', 0o755, [0o777, 0o775, 0o1777]],
      ['home', 0o755, [0o777, 0o757]],
    ] as const)
      for (const each of others) {
        await chmod(path(name), each);
        const fault = new RegExp(
          `other users can write to ${path(name)} \\(mode ${each.toString(8)}\\); run chmod`,
        );
        await refused(readListenerSecurity(path('home/keys')), fault);
        await chmod(path(name), mode);
      }
    await readListenerSecurity(path('home/keys'));
  });

  it('is refused where the folder of a link can be written to', async () => {
    await mkdir(path('open'));
    await chmod(path('open'), 0o777);
    await symlink(path('home/keys'), path('open/keys'));
    await refused(readListenerSecurity(path('open/keys')), /other users can write to \S*\/open \(mode 777\)/);
    await symlink('open/keys', path('twice'));
    await refused(readListenerSecurity(path('twice')), /other users can write to \S*\/open \(mode 777\)/);
  });

  it('is no place for new keys below a folder that others can write to', async () => {
    await chmod(path('home'), 0o777);
    await refused(
      makeKeys(path('home/new/keys'), undefined),
      /cannot make keys in \S*new\/keys: other users can/,
    );
    await assert.rejects(chmod(path('home/new'), 0o700), /ENOENT/);
    await chmod(path('home'), 0o1777); // as /tmp
    await requireTrustedPlace(path('home/new/keys'), 'cannot make keys in');
  });

  it(
    'is refused where another user owns a part of it',
    { skip: !isRoot && 'only root can give files away' },
    async () => {
      for (const name of ['home/keys/worker.key', 'home/keys', 'home']) {
        await chown(path(name), OTHER, OTHER);
        await refused(
          readListenerSecurity(path('home/keys')),
          new RegExp(
            `${path(name)} belongs to user ${OTHER}, expected root or user 0; use a copy in a folder of your own`,
          ),
        );
        await chown(path(name), 0, 0);
      }
    },
  );

  it(
    'is trusted on a read-only mount whoever owns it, as a Secret of Kubernetes and a volume of a container',
    { skip: (!isRoot || process.platform !== 'linux') && 'only root can mount' },
    async (t) => {
      // What the kubelet makes of a Secret with fsGroup: data behind two links in a folder that is open by its mode.
      const secret = path('secret');
      await mkdir(join(secret, '..2025_01_01'), { recursive: true });
      for (const name of ['coordinator.key_secret', 'worker.key']) {
        spawnSync('cp', [path('home/keys', name), join(secret, '..2025_01_01')]);
        await chmod(join(secret, '..2025_01_01', name), 0o440);
        await symlink(`..data/${name}`, join(secret, name));
      }
      await symlink('..2025_01_01', join(secret, '..data'));
      await chmod(join(secret, '..2025_01_01'), 0o2775);
      await chmod(secret, 0o3777);
      spawnSync('chown', ['-hR', `${OTHER}:10001`, secret]);
      await refused(readListenerSecurity(secret), /belongs to user/);
      await mkdir(path('mount'));
      const mounted = spawnSync('mount', ['--bind', secret, path('mount')]).status === 0;
      if (!mounted) {
        t.skip('this process may not mount');
        return;
      }
      try {
        spawnSync('mount', ['-o', 'remount,bind,ro', path('mount')]);
        assert.equal((await readListenerSecurity(path('mount'))).admitted.size, 1);
      } finally {
        spawnSync('umount', ['--lazy', path('mount')]);
      }
    },
  );

  it('may be a pipe that a shell made', async () => {
    await requireTrusted('/dev/stdin', 'cannot trust');
    await requireTrusted('/dev/fd/0', 'cannot trust');
    await writeFile(path('home/token'), 'x', { mode: 0o600 });
  });
});
