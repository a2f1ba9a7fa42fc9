import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { printable, printableLines } from '#printable';
import { messageOf, UserError } from '../src/common/errors.js';
import { logLine, setLogFormat } from '../src/common/log.js';
import { shellQuote } from '../src/common/shell-quote.js';
import { typed } from '../src/common/display-path.js';
import { text } from '../src/monitoring/http/response.js';
import { parseEventLine } from '../src/monitoring/live/event-log.js';
import { Program } from './support/trainer/program.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

/** An escape sequence, a title, line ends, a C1 sequence, directions, invisible ones, line separators, half a character. */
const NASTY =
  '\x1b[31m\x1b]0;title\x07\r\nnext\t\x7f\x9b2J\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028\u2029\ufeff\u{e0041}';
const HALF = '\ud83d';
/** Nothing in these is changed. */
const PLAIN = 'é ü 顔 👩\u200d🔬 می\u200cخواهم \\n ~ "quoted"';

/** Whether a terminal shows a text and does nothing else; line ends apart. */
function isHarmless(line: string): boolean {
  return !/(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line);
}

describe('a text from outside', () => {
  it('is shown escaped, and otherwise as it is', () => {
    assert.equal(
      printable(`a${NASTY}${HALF}z`),
      'a\\u001b[31m\\u001b]0;title\\u0007\\r\\nnext\\t\\u007f\\u009b2J\\u061c\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069' +
        '\\u2028\\u2029\\ufeff\\udb40\\udc41\\ud83dz',
    );
    assert.equal(printable(PLAIN), PLAIN);
    assert.equal(printable(printable(NASTY)), printable(NASTY));
    assert.equal(printableLines('one\ntwo\r\n'), 'one\ntwo\\r\n');
    for (let code = 0; code < 0xa0; code++)
      assert.equal(printable(String.fromCharCode(code)).length === 1, code >= 0x20 && code < 0x7f, `${code}`);
  });

  it('is escaped in lines of the log, which as JSON mean the same', (t) => {
    t.after(() => {
      setLogFormat('text');
    });
    assert.equal(logLine(`skipped ${NASTY}`), `skipped ${printable(NASTY)}\n`);
    setLogFormat('json');
    const line = logLine(NASTY, { file: NASTY, half: HALF });
    assert.ok(isHarmless(line) && line.indexOf('\n') === line.length - 1, line);
    const { message, file, half } = JSON.parse(line) as Record<string, string>;
    assert.deepEqual([message, file, half], [NASTY, NASTY, HALF]);
  });

  it('is escaped in errors: paths with their line ends, other texts on one line', async () => {
    assert.equal(messageOf(new UserError('there is no a\nb')), 'there is no a\\nb');
    assert.equal(messageOf(new Error('it failed:\n  because')), 'it failed: because');
    const error: unknown = await readFile('/nowhere/a\n\x1bb').catch((thrown: unknown) => thrown);
    assert.match(messageOf(error), /open '\/nowhere\/a\\n\\u001bb'$/);
  });

  it('is escaped in answers of the HTTP server and in events', () => {
    assert.equal(text(500, NASTY).body, `${printable(NASTY)}\n`);
    const event = { id: 1, time: 't', kind: 'lost', step: 1, message: NASTY };
    assert.equal(parseEventLine(JSON.stringify(event), 1)?.message, printable(NASTY));
  });
});

describe('a word of a command line', () => {
  it('is what bash makes of it again', () => {
    const words = [
      PLAIN,
      `${NASTY}'\\`,
      "it's",
      '$HOME `x`',
      '~',
      '',
      '-x',
      'two words',
      'runs/00001',
      '*',
      'a\nb',
      '顔',
    ];
    const line = words.map(shellQuote).join(' ');
    assert.ok(isHarmless(line) && !line.includes('\n'), line);
    const read = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
    assert.deepEqual(read.split('\0').slice(0, -1), words);
    assert.equal(shellQuote('runs/00001'), 'runs/00001');
    assert.equal(typed(`${process.cwd()}/-x`), './-x');
  });
});

describe('the program', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  const programs: Program[] = [];
  after(async () => {
    await Promise.all(programs.map((program) => program.kill()));
    await workplace.remove();
  });

  /** With stderr in stdout, where lines are not taken apart. */
  const start = (args: readonly string[]): Program => {
    const program = [process.execPath, Program.pathOf('coordinator'), ...args];
    programs.push(Program.run(['sh', '-c', 'exec "$@" 2>&1', 'sh', ...program], workplace.place()));
    return programs[programs.length - 1];
  };

  it('shows paths, file names and option values escaped, and quotes the path to resume from', async () => {
    const data = workplace.path(`images é${NASTY}`);
    await rename(await workplace.makeImages('nasty').then(() => workplace.path('nasty')), data);
    await writeFile(`${data}/faces/${NASTY}.png`, 'no picture');
    const run = workplace.path(`it's ${NASTY}`);
    const options = [...ENDLESS, '--single-node', '--no-http', '--max-broken', '0.5', '--data', data];
    const program = start([...workplace.training(run, []), ...options]);
    await until('some steps', () => /step \d/.test(program.stdout));
    program.signal('SIGINT');
    const { code, stdout } = await program.ended();
    assert.equal(code, 0, stdout);
    assert.ok(isHarmless(stdout), JSON.stringify(stdout));
    assert.ok(stdout.includes(`${printable(NASTY)}.png: `), stdout);
    const word = /--resume (?<word>\$'.*')$/m.exec(stdout)?.groups?.['word'];
    assert.ok(word, stdout);
    const read = execFileSync('bash', ['-c', `printf %s ${word}`], {
      encoding: 'utf8',
      cwd: workplace.folder,
    });
    assert.ok(run.endsWith(read), read);
    assert.ok(isHarmless(await readFile(`${run}/events.jsonl`, 'utf8')));
  });

  it('escapes what is wrong in an error, as JSON too', async () => {
    for (const args of [
      ['--data', `/nowhere/${NASTY}`],
      [`--${NASTY}`],
      ['--resume', `/nowhere/${NASTY}`, '--log', 'json'],
      ['generate', `/nowhere/${NASTY}`],
      ['keys', `/dev/null/${NASTY}`],
    ]) {
      const { code, stdout } = await start(args).ended();
      assert.equal(code, 2, stdout);
      assert.ok(isHarmless(stdout) && stdout.trimEnd().split('\n').length === 1, JSON.stringify(stdout));
      assert.ok(stdout.includes('\\u001b[31m'), stdout);
    }
  });
});
