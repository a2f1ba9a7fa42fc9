import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lackOfOpenFiles } from '#open-files';
import { cacheFolder } from '../src/common/files/cache-folder.js';
import { UserError } from '../src/common/errors.js';
import { requireTemporaryFolder } from '../src/common/files/temporary-folder.js';
import { Program } from './support/trainer/program.js';
import { SMALL, Workplace } from './support/trainer/workplace.js';

describe('the cache folder', () => {
  it('is the one of the variables that are set and, for XDG_CACHE_HOME, absolute', () => {
    const usual = join(homedir(), '.cache/dcgan-trainer');
    assert.equal(cacheFolder({}), usual);
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '/var/cache' }), '/var/cache/dcgan-trainer');
    for (const empty of ['', 'relative', './cache'])
      assert.equal(cacheFolder({ XDG_CACHE_HOME: empty }), usual);
    assert.equal(cacheFolder({ DCGAN_CACHE: '', XDG_CACHE_HOME: '' }), usual);
    assert.equal(cacheFolder({ DCGAN_CACHE: '/own', XDG_CACHE_HOME: '/var/cache' }), '/own');
  });
});

describe('the folder for temporary files', () => {
  it('is refused in one line where it cannot be written to', () => {
    requireTemporaryFolder();
    assert.throws(
      () => {
        requireTemporaryFolder('/nonexistent');
      },
      (error) =>
        error instanceof UserError &&
        /^cannot write to the temporary folder \/nonexistent \(ENOENT.*\); set TMPDIR to a folder/.test(
          error.message,
        ),
    );
  });
});

describe('the limit of open files', () => {
  it('is too low below 256, and unknown where the system does not say it', () => {
    const limits = (soft: string): string =>
      `Max processes  10  10  processes\nMax open files            ${soft}   4096   files\n`;
    assert.match(String(lackOfOpenFiles(limits('64'))), /may open 64 files, expected at least 256; raise/);
    for (const text of [limits('256'), limits('unlimited'), ''])
      assert.equal(lackOfOpenFiles(text), undefined);
  });
});

describe('a program in poor surroundings ends with one line:', { skip: process.platform !== 'linux' }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  const train = (): string[] => workplace.training('run', ['--workers', '2', '--steps', '2']);

  async function expectLine(program: Program, line: RegExp): Promise<void> {
    const { code, lines } = await workplace.add(program).ended();
    const said = lines.filter((each) => /^(coordinator|worker|set-up|engine): /.test(each));
    assert.equal(said.length, 1, lines.join('\n'));
    assert.match(said[0], line);
    assert.ok(!lines.some((each) => /^ +at /.test(each)), lines.join('\n'));
    assert.equal(code, 2);
  }

  it('with few open files', async () => {
    for (const [name, script, args] of [
      ['coordinator', Program.pathOf('coordinator'), train()],
      ['worker', Program.pathOf('worker'), ['--coordinator', 'tcp://127.0.0.1:1']],
      ['set-up', fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url)), train()],
    ] as const) {
      const limited = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, script, ...args];
      await expectLine(
        Program.run(limited, workplace.place()),
        new RegExp(`^${name}: this process may open 64 files, expected at least 256; raise the limit`),
      );
    }
  });

  it('without a folder for temporary files', async () => {
    const { cwd, env } = workplace.place();
    for (const engine of ['auto', 'wasm']) {
      const place = { cwd, env: { ...env, TMPDIR: '/nonexistent' } };
      const program = Program.start('coordinator', [...train(), '--engine', engine], place);
      await expectLine(program, /^coordinator: cannot write to the temporary folder \/nonexistent/);
    }
  });

  it(
    'without a home',
    { skip: process.geteuid?.() !== 0 && 'only root can become another user' },
    async (t) => {
      const { env } = workplace.place();
      // A user without an entry has no other home than the variable says.
      const as = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', '--'];
      if (spawnSync(as[0], [...as.slice(1), 'test', '-r', Program.pathOf('coordinator')]).status !== 0) {
        t.skip('other users cannot read this clone');
        return;
      }
      const node = [
        process.execPath,
        Program.pathOf('coordinator'),
        'train',
        ...SMALL,
        '--no-http',
        '--steps',
        '1',
      ];
      const bare = { ...env, HOME: '', DCGAN_CACHE: '', XDG_CACHE_HOME: '' };
      await expectLine(
        Program.run([...as, ...node], { cwd: '/', env: bare }),
        /^coordinator: this user has no home folder for the cache \(.*\); set DCGAN_CACHE to a folder/,
      );
    },
  );
});
