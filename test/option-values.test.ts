import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommanderError, type Command, type Option } from 'commander';
import { typedName, withThoseBelow } from '../src/common/brief-help.js';
import { refuseEmptyValues } from '../src/common/empty-values.js';
import { UserError } from '../src/common/errors.js';
import { decimal, whole } from '../src/common/numbers.js';
import { coordinatorCommand } from '../src/cli/commands.js';
import { parseArithmetic } from '../src/sampling/latent-arithmetic.js';
import { workerCommand } from '../src/worker/options.js';

/** Each program anew, with actions that fail the test: nothing may begin. */
function programs(): Command[] {
  return [coordinatorCommand(), workerCommand(() => Promise.resolve())].map((program) => {
    refuseEmptyValues(program);
    for (const command of withThoseBelow(program)) {
      command.exitOverride().configureOutput({ writeErr: () => undefined });
      if (command.commands.length === 0) command.action(() => assert.fail(`${typedName(command)} began`));
    }
    return program;
  });
}

function options(): { words: string[]; option: Option }[] {
  return programs()
    .flatMap(withThoseBelow)
    .flatMap((command) =>
      command.options
        .filter(({ required, optional }) => required || optional)
        .map((option) => ({ words: typedName(command).split(' '), option })),
    );
}

async function typed([name, ...words]: readonly string[]): Promise<unknown> {
  const program = programs().find((each) => each.name() === name);
  assert.ok(program);
  return program.parseAsync([...words], { from: 'user' }).then(
    () => assert.fail(`${words.join(' ')} was taken`),
    (error: unknown) => error,
  );
}

describe('a value that is empty', () => {
  it('is refused by every option of every command, as a word of its own and after =', async () => {
    const all = options();
    assert.ok(all.length > 75, `${all.length} options`);
    for (const { words, option } of all)
      for (const given of [[`${option.long}`, ''], [`${option.long}=`], [`${option.long}`, ' \t']]) {
        const error = await typed([...words, ...given]);
        assert.ok(error instanceof UserError, `${[...words, ...given].join(' ')}: ${String(error)}`);
        assert.match(
          error.message,
          /^--[\w-]+: expected a value, found (an empty string|only blanks); check the variable you passed$/,
        );
        assert.ok(error.message.startsWith(`${option.long}: `));
      }
  });

  it('is refused among several values, and as the value of a variable that stands for an option', async (t) => {
    for (const words of [
      ['coordinator', 'keys', 'somewhere', '--workers', 'one', ''],
      ['coordinator', 'generate', 'run', '--seeds', '1', '', '2'],
    ])
      assert.match(String(await typed(words)), /^UserError: --(workers|seeds): expected a value/);
    const before = process.env['DCGAN_HTTP_TOKEN'];
    t.after(() => {
      if (before === undefined) delete process.env['DCGAN_HTTP_TOKEN'];
      else process.env['DCGAN_HTTP_TOKEN'] = before;
    });
    process.env['DCGAN_HTTP_TOKEN'] = '';
    assert.match(
      String(await typed(['coordinator', 'train'])),
      /^UserError: DCGAN_HTTP_TOKEN: expected a value/,
    );
  });

  it('is refused as an argument of every command', async () => {
    const commands = programs().flatMap(withThoseBelow);
    const withArguments = commands.filter(({ registeredArguments }) => registeredArguments.length > 0);
    assert.ok(withArguments.length >= 8);
    for (const command of withArguments) {
      const must = command.options.filter(({ mandatory }) => mandatory);
      const given = must.flatMap(({ long, argChoices }) => [String(long), argChoices?.[0] ?? 'somewhere']);
      const error = await typed([...typedName(command).split(' '), '', ...given]);
      assert.match(
        String(error),
        /^UserError: \w+: expected a value, found an empty string; check/,
        command.name(),
      );
    }
    assert.match(String(await typed(['coordinator', ''])), /^UserError: argument 1: expected a value/);
  });
});

describe('a number', () => {
  const ODD = [
    '0x1',
    '0b1',
    '0o1',
    '1_000',
    ' 1',
    '1 ',
    '+1',
    'Infinity',
    'NaN',
    '１',
    '1e',
    '--1',
    '1,5',
    '1n',
  ];

  it('that is whole is decimal digits and nothing else', () => {
    const parse = whole(1, 65_535);
    assert.deepEqual(['1', '65535', '007'].map(parse), [1, 65_535, 7]);
    assert.equal(whole(0)('9007199254740991'), Number.MAX_SAFE_INTEGER);
    for (const text of [...ODD, '1e3', '1.0', '-1', '0', '65536', '9007199254740993', '9'.repeat(400)])
      assert.throws(() => parse(text), /whole number from 1 to 65535/, text);
  });

  it('with decimals is plain or in scientific notation', () => {
    const parse = decimal();
    assert.deepEqual(['2e-4', '0.0002', '.5', '5.', '1E3', '-1', '1e+2', '0'].map(parse), [
      ...[2e-4, 2e-4, 0.5, 5, 1000, -1, 100, 0],
    ]);
    for (const text of [...ODD, '.', 'e3', '1e999', '1.2.3'])
      assert.throws(() => parse(text), /a number/, text);
    assert.throws(
      () => decimal('from 0 to 1', (value) => value <= 1)('1.5'),
      /It must be a number from 0 to 1/,
    );
  });

  it('is read so by every option that takes one', async () => {
    const numbers = options().filter(({ option }) =>
      /<(n|steps|images|k|rate|decay|gamma|share|weight|seconds|seeds\.\.\.)>/.test(option.flags),
    );
    assert.ok(numbers.length > 40, `${numbers.length} options`);
    for (const { words, option } of numbers)
      for (const text of ['0x1', ' 1 ', '+1', '1_000', 'Infinity']) {
        const error = await typed([...words, String(option.long), text]);
        assert.ok(
          error instanceof CommanderError,
          `${words.join(' ')} ${option.flags} ${text}: ${String(error)}`,
        );
        assert.match(error.message, /is invalid\. It must be a (whole )?number/);
      }
  });

  it('among lists of seeds is one that a number can hold', () => {
    assert.deepEqual(parseArithmetic('1, 2 - 3')[0].seeds, [1, 2]);
    assert.throws(
      () => parseArithmetic('1 - 99999999999999999999'),
      /expected seeds below 2\^53, found 9{20}/,
    );
  });
});
