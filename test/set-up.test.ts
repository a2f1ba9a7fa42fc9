import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const importScript = (name: string): Promise<unknown> =>
  import(pathToFileURL(join(root, 'scripts', name)).href);

describe('which packages are missing', async () => {
  interface LockFile {
    packages: Record<string, { version?: string; optional?: boolean; dev?: boolean; link?: boolean }>;
  }
  const { missingPackages } = (await importScript('packages.mjs')) as {
    missingPackages: (
      wanted: LockFile,
      installed: LockFile,
      machine?: { platform: string; arch: string },
    ) => string[];
  };
  const wanted = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
      'node_modules/tool': { version: '3.0.0', dev: true },
      'node_modules/other-platform': { version: '4.0.0', optional: true },
    },
  };
  const without = (path: string): LockFile => ({
    packages: Object.fromEntries(Object.entries(wanted.packages).filter(([name]) => name !== path)),
  });

  it('none where all are there, packages for other platforms aside', () => {
    assert.deepEqual(missingPackages(wanted, without('node_modules/other-platform')), []);
  });
  it('one that is absent, also a nested one and a development tool', () => {
    for (const path of ['node_modules/a/node_modules/b', 'node_modules/tool']) {
      assert.deepEqual(missingPackages(wanted, without(path)), [path]);
    }
  });
  it('one whose compiled part for this machine is left out, of which there may be several', () => {
    const compiled = (os: string, libc?: string) => ({
      ...{ version: '5.0.0', optional: true, os: [os], cpu: ['x64'] },
      ...(libc !== undefined && { libc: [libc] }),
    });
    const lock = {
      packages: {
        'node_modules/image': { version: '5.0.0', optionalDependencies: { glibc: '5', musl: '5', mac: '5' } },
        'node_modules/glibc': compiled('linux', 'glibc'),
        'node_modules/musl': compiled('linux', 'musl'),
        'node_modules/mac': compiled('darwin'),
      },
    };
    const only = (...names: string[]): LockFile => ({
      packages: Object.fromEntries(
        Object.entries(lock.packages).filter(([path]) => names.includes(path.slice(13))),
      ),
    });
    const linux = { platform: 'linux', arch: 'x64' };
    assert.deepEqual(missingPackages(lock, only('image', 'musl'), linux), []);
    assert.deepEqual(missingPackages(lock, only('image', 'glibc'), linux), []);
    assert.deepEqual(missingPackages(lock, only('image'), linux), ['node_modules/image']);
    assert.deepEqual(missingPackages(lock, only('image', 'mac'), linux), ['node_modules/image']);
    assert.deepEqual(missingPackages(lock, only('image'), { platform: 'aix', arch: 'ppc64' }), []);
  });
  it('one of another version', () => {
    const installed = { packages: { ...wanted.packages, 'node_modules/a': { version: '1.0.1' } } };
    assert.deepEqual(missingPackages(wanted, installed), ['node_modules/a']);
  });
  it('none in this clone, which npm itself has installed', async () => {
    const read = async (path: string): Promise<LockFile> =>
      JSON.parse(await readFile(join(root, path), 'utf8')) as LockFile;
    const lockFile = await read('package-lock.json');
    assert.deepEqual(missingPackages(lockFile, await read('node_modules/.package-lock.json')), []);
  });
});

describe('the version of Node', async () => {
  const { checkNodeVersion } = (await importScript('node-version.mjs')) as {
    checkNodeVersion: (required: string, actual: string) => void;
  };
  it('is refused in one line if it is too old', () => {
    assert.throws(() => {
      checkNodeVersion('>=20.9', '18.20.4');
    }, /^Error: this needs Node 20\.9 or later, and this is Node 18\.20\.4$/);
    assert.throws(() => {
      checkNodeVersion('>=20.9', '20.8.1');
    });
  });
  it('may be newer', () => {
    for (const actual of ['20.9.0', '20.20.2', '22.0.0', '24.1.0']) checkNodeVersion('>=20.9', actual);
  });
});

describe('the build of a clone', () => {
  let clone: string;
  before(async () => {
    clone = await mkdtemp(join(tmpdir(), 'dcgan-clone-'));
    for (const name of [
      'scripts',
      'src/monitoring/page',
      'tsconfig.json',
      'package.json',
      'package-lock.json',
    ]) {
      await cp(join(root, name), join(clone, name), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
    const folders = [
      'src/wire',
      'src/engine/recording',
      'src/engine/native/kernels',
      'test',
      'bench',
      'deploy',
      'proto',
    ];
    for (const name of folders) await mkdir(join(clone, name), { recursive: true });
    await writeFile(
      join(clone, 'proto/trainer.proto'),
      'syntax = "proto3"; package dcgan; message Ping { uint32 step = 1; }',
    );
    await writeFile(
      join(clone, 'proto/tensorflow.proto'),
      'syntax = "proto3"; package tensorflow; message Node { string op = 1; }',
    );
    await writeFile(join(clone, 'src/engine/native/kernels/kernel.cc'), '// what the engine is made of');
    await writeFile(
      join(clone, 'src/wire/ping.ts'),
      `import { dcgan } from './generated/trainer.js';
       export const step: number = dcgan.Ping.decode(dcgan.Ping.encode({ step: 7 }).finish()).step;`,
    );
  });
  after(() => rm(clone, { recursive: true, force: true }));

  /** npm run build, and what it says on stderr. */
  async function build({ killed = false } = {}): Promise<{ code: number | null; said: string }> {
    const child = spawn(process.execPath, ['scripts/build.mjs'], {
      cwd: clone,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true, // a process group of its own, so that all of it can be killed at once
    });
    if (killed) child.stderr.once('data', () => process.kill(-(child.pid ?? NaN), 'SIGKILL'));
    const ended = once(child, 'exit');
    const said = await text(child.stderr);
    await ended;
    return { code: child.exitCode, said };
  }

  it('that was killed is completed by the next', async () => {
    const killed = await build({ killed: true });
    assert.equal(killed.code, null);
    await assert.rejects(access(join(clone, 'dist')));
    assert.deepEqual(await build(), { code: 0, said: 'set-up: building\n' });
    const { step } = (await import(pathToFileURL(join(clone, 'dist/src/wire/ping.js')).href)) as {
      step: number;
    };
    assert.equal(step, 7);
    await access(join(clone, 'dist/src/engine/native/kernels/kernel.cc'));
  });

  it('is not done again, and says nothing', async () => {
    assert.deepEqual(await build(), { code: 0, said: '' });
  });

  it('is done once by two set-ups at once, and leaves nothing of a removed source', async () => {
    await writeFile(join(clone, 'src/old.ts'), 'export {};');
    const both = await Promise.all([build(), build()]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    );
    assert.equal(both.filter(({ said }) => said.includes('set-up: building')).length, 1);
    await access(join(clone, 'dist/src/old.js'));
    await rm(join(clone, 'src/old.ts'));
    assert.equal((await build()).code, 0);
    await assert.rejects(access(join(clone, 'dist/src/old.js')));
  });

  it('that fails shows the compiler message, ends with one line, and leaves the last good one', async () => {
    await writeFile(join(clone, 'src/wrong.ts'), `export const count: number = 'three';`);
    const { code, said } = await build();
    await rm(join(clone, 'src/wrong.ts'));
    assert.match(said, /src\/wrong\.ts\(1,14\): error TS2322/);
    assert.match(said, /\nset-up: tsc failed with exit code \d \(its output is above\)\n$/);
    assert.equal(code, 2);
    assert((await readdir(join(clone, 'dist/src/wire'))).includes('ping.js'));
  });
});
