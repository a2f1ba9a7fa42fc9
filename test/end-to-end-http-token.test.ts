import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Program } from './support/trainer/program.js';
import { ENDLESS, SMALL, Workplace } from './support/trainer/workplace.js';

const TOKEN = 'a-token-that-nobody-may-see';

type Answer = readonly [status: number | undefined, body: string];

async function ask(address: string, headers: Record<string, string>): Promise<Answer> {
  const [response] = (await once(get(`${address}/api/runs`, { headers }), 'response')) as [IncomingMessage];
  return [response.statusCode, await text(response)];
}

describe('the token of a run', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  const startWith = (token: string, args: readonly string[]): Program => {
    const { cwd, env } = workplace.place();
    return workplace.add(
      Program.start('coordinator', args, { cwd, env: { ...env, DCGAN_HTTP_TOKEN: token } }),
    );
  };

  it('opens the metrics and is found in nothing that the run says or leaves', async () => {
    const http = ['--http', '127.0.0.1:0', '--run-dir', 'run'];
    const args = ['--data', workplace.images, ...SMALL, ...ENDLESS, ...http];
    const program = startWith(TOKEN, args);
    const [, address] = await program.line(/^metrics at (http:\S+)\/metrics$/);
    assert.equal((await ask(address, {}))[0], 401);
    const [status, page] = await ask(address, { authorization: `Bearer ${TOKEN}` });
    assert.equal(status, 200);
    program.signal('SIGINT');
    const { code, lines, stdout } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));

    const dry = await startWith('', [...args, '--http-token', TOKEN, '--dry-run']).ended();
    assert.equal(dry.code, 0, dry.lines.join('\n'));
    const said = [page, ...lines, stdout, ...dry.lines, dry.stdout];
    const left = await readdir(workplace.path('run'), { recursive: true });
    assert.ok(left.includes('options.json'));
    for (const name of left) {
      const path = join(workplace.path('run'), name);
      if ((await stat(path)).isFile()) said.push(await readFile(path, 'latin1'));
    }
    for (const each of said) assert.ok(!each.includes(TOKEN), each.slice(0, 200));
  });

  it('is needed beyond this machine, and must be one', async () => {
    const beyond = ['--http', '0.0.0.0:0', '--dry-run'];
    const without = await workplace.start(beyond).ended();
    assert.deepEqual(
      [without.code, without.lines],
      [
        2,
        [
          'coordinator: --http 0.0.0.0:0 is beyond this machine and needs a token: set DCGAN_HTTP_TOKEN, or give --http-token-file FILE',
        ],
      ],
    );
    for (const bad of ['short', 'with spaces in it, and long', '']) {
      const { code, lines } = await startWith(bad, beyond).ended();
      assert.equal(code, 2);
      assert.equal(lines.length, 1);
      assert.match(
        lines[0],
        bad === ''
          ? /^coordinator: DCGAN_HTTP_TOKEN: expected a value, found an empty string/
          : /^coordinator: the token of --http-token, --http-token-file or DCGAN_HTTP_TOKEN must have 16 to 512/,
      );
      assert.ok(bad === '' || !lines[0].includes(bad));
    }
    assert.equal((await startWith(TOKEN, beyond).ended()).code, 0);

    const ofFile = (file: string) =>
      workplace.start([...beyond, '--http-token-file', workplace.path(file)]).ended();
    await writeFile(workplace.path('token'), `${TOKEN}\n`, { mode: 0o600 });
    assert.equal((await ofFile('token')).code, 0);
    await writeFile(workplace.path('nothing'), '\n', { mode: 0o600 });
    await writeFile(workplace.path('open'), `${TOKEN}\n`);
    await chmod(workplace.path('open'), 0o666);
    await writeFile(workplace.path('readable'), `${TOKEN}\n`, { mode: 0o644 });
    for (const [file, line] of [
      ['nothing', /--http-token-file \S+ is empty: put what/],
      ['missing', /cannot read --http-token-file \S+: ENOENT/],
      [
        'open',
        /cannot trust --http-token-file \S+: other users can write to \S+ \(mode 666\); run chmod go-w/,
      ],
      ['readable', /other users can read --http-token-file \S+ \(mode 644\); run chmod 600/],
    ] as const) {
      const { code, lines } = await ofFile(file);
      assert.deepEqual([code, lines.length], [2, 1]);
      assert.match(lines[0], line);
    }
  });

  it('guards the page of a run that is over too', async () => {
    await writeFile(workplace.path('of-view'), `${TOKEN}\n`, { mode: 0o600 });
    const args = ['view', 'run', '--http', '127.0.0.1:0', '--http-token-file'];
    const program = workplace.start([...args, 'of-view']);
    const [, address] = await program.line(/^the run at (http:\S+)\/ /);
    assert.equal((await ask(address, {}))[0], 401);
    const [status, runs] = await ask(address, { authorization: `Bearer ${TOKEN}` });
    assert.equal(status, 200);
    assert.match(runs, /"run"/);
    program.signal('SIGINT');
    assert.equal((await program.ended()).code, 0);

    const { code, lines } = await workplace.start([...args, 'missing']).ended();
    assert.deepEqual([code, lines.length], [2, 1]);
    assert.match(lines[0], /cannot read --http-token-file \S+: ENOENT/);
  });
});
