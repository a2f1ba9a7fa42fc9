import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { stepsDone } from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

/** Bytes that a file system of memory gives out at once. */
const PAGE = 4096;

/** File systems that these tests mount; undefined where this process may not mount any. */
const MOUNT = process.platform === 'linux' && process.getuid?.() === 0 ? canMount() : false;

describe('a run on a disk of its own', { skip: !MOUNT && 'this process may not mount file systems' }, () => {
  let workplace: Workplace;
  const mounted: string[] = [];
  before(async () => {
    workplace = await Workplace.make();
  });
  after(async () => {
    for (const path of mounted.reverse()) run('umount', ['--lazy', path]);
    await workplace.remove();
  });

  function mount(name: string): string {
    const path = workplace.path(name);
    mkdirSync(path);
    assert.equal(run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path]), 0);
    mounted.push(path);
    return path;
  }

  const ONE_STEP = ['--single-node', '--steps', '1', '--sample-every', '0'];

  it('that is full before the first step can begin in the same directory once there is room', async () => {
    const disk = mount('full');
    // The lock takes a page, options.json another, and so on: each length ends it at another file.
    for (const pages of [0, 1, 2]) {
      const directory = `full/${pages}`;
      mkdirSync(workplace.path(directory));
      const filler = `${disk}/filler`;
      writeFileSync(filler, Buffer.alloc((statfsSync(disk).bavail - pages) * PAGE));
      const { code, lines } = await workplace.run(directory, ONE_STEP);
      assert.notEqual(code, 0);
      const fault = lines.filter((line) => line.startsWith('coordinator: '));
      assert.equal(fault.length, 1, lines.join('\n'));
      assert.match(
        fault[0],
        /^coordinator: cannot write \S*full\/\d\/\S+: the disk is full \(ENOSPC\); free/,
      );
      rmSync(filler);
      const again = await workplace.run(directory, ONE_STEP);
      assert.equal(again.code, 0, again.lines.join('\n'));
    }
  });

  it('that is full before the first step can be resumed, too', async () => {
    const disk = mount('resumed');
    const filler = `${disk}/filler`;
    mkdirSync(workplace.path('resumed/run'));
    writeFileSync(filler, Buffer.alloc((statfsSync(disk).bavail - 3) * PAGE));
    const { code, lines } = await workplace.run('resumed/run', ONE_STEP);
    assert.notEqual(code, 0, lines.join('\n'));
    assert.ok((await readdir(workplace.path('resumed/run'))).includes('options.json'), lines.join('\n'));
    rmSync(filler);
    const again = await workplace.start(['train', '--resume', 'resumed/run', '--no-http']).ended();
    assert.equal(again.code, 0, again.lines.join('\n'));
    assert.equal(await stepsDone(workplace.path('resumed/run')), 1);
  });

  it('that becomes read-only says so, and how to go on', async () => {
    const disk = mount('read-only');
    const program = workplace.start(
      workplace.training('read-only/run', ['--single-node', ...ENDLESS, '--checkpoint-every', '10']),
    );
    await until('20 steps', async () => (await stepsDone(`${disk}/run`)) >= 20);
    assert.equal(run('mount', ['--bind', disk, disk]), 0);
    mounted.push(disk);
    // Paths lead to the upper mount from now on, and files that are open stay writable.
    assert.equal(run('mount', ['-o', 'remount,bind,ro', disk]), 0);
    const { code, lines } = await program.ended();
    assert.equal(code, 1, lines.join('\n'));
    const fault = lines.filter((line) => line.startsWith('coordinator: '));
    assert.equal(fault.length, 1, lines.join('\n'));
    assert.match(
      fault[0],
      /^coordinator: cannot write \S*\/run\/\S+: the file system is read-only \(EROFS\).*: resume it with --resume read-only\/run$/,
    );
  });
});

function canMount(): boolean {
  // In a container without the right to mount it fails with a line that does not matter.
  return run('unshare', ['--mount', 'true']) === 0;
}

function run(command: string, args: readonly string[]): number | null {
  return spawnSync(command, args, { stdio: 'ignore' }).status;
}
