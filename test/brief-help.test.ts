import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { guideOf, typedName, withThoseBelow } from '../src/common/brief-help.js';
import { coordinatorCommand } from '../src/cli/commands.js';
import { planFaces, type GenerateArguments } from '../src/sampling/generation-plan.js';
import type { TrainArguments } from '../src/options/train-options.js';
import { settleOptions } from '../src/options/resolve-options.js';
import { workerCommand } from '../src/worker/options.js';

const SCREEN = { columns: 80, lines: 40 };
const MACHINE = { cores: 8, gpus: [], lackOfBfloat16: () => undefined };

const programs = (): Command[] => [coordinatorCommand(), workerCommand(() => Promise.resolve())];
const everyCommand = (): Command[] => programs().flatMap(withThoseBelow);

/** What a program prints, and how it ends, where `words` are typed after its name. */
async function printed(program: Command, words: readonly string[]): Promise<{ out: string; code: string }> {
  let out = '';
  for (const command of withThoseBelow(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => (out += text),
      writeErr: (text) => (out += text),
      getOutHelpWidth: () => SCREEN.columns,
    });
  }
  const end: unknown = await program.parseAsync([...words], { from: 'user' }).then(
    () => assert.fail(`${words.join(' ')} did not end in a help`),
    (error: unknown) => error,
  );
  return { out, code: (end as { code: string }).code };
}

/** `coordinator engine status` as [program, ['engine', 'status']], anew. */
function typed(name: string): [Command, string[]] {
  const [first, ...words] = name.split(' ');
  const program = programs().find((each) => each.name() === first);
  assert.ok(program, name);
  return [program, words];
}

/** As a shell cuts a line into words: settings before the program, and what comes after a pipe, left out. */
function wordsOf(line: string): string[] {
  const joined = line.replaceAll('\\\n', ' ').replace(/^(?:\w+=\S+ )+/, '');
  const [first] = joined.split(' | ');
  return [...first.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]: (string | undefined)[]) => quoted ?? plain ?? '',
  );
}

/** What the real parser makes of a line: the command that would have run, its arguments and options. */
async function parsed(line: string): Promise<{ name: string; command: Command }> {
  const [first, ...words] = wordsOf(line);
  const [program] = typed(first);
  let ran: Command | undefined;
  for (const command of withThoseBelow(program)) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
    if (command.commands.length === 0)
      command.action((...all: unknown[]) => {
        ran = all.at(-1) as Command;
      });
  }
  await program.parseAsync(words, { from: 'user' });
  assert.ok(ran, line);
  return { name: typedName(ran), command: ran };
}

describe('--help', () => {
  const names = everyCommand().map(typedName);

  it('is there for all that can be typed', () => {
    assert.ok(names.includes('coordinator') && names.includes('worker') && names.length > 12, names.join());
    const without = everyCommand().filter((command) => (guideOf(command)?.examples.length ?? 0) < 2);
    assert.deepEqual(without.map(typedName), [], 'these have no examples: declare them in command-guides.ts');
  });

  for (const name of names)
    it(`of ${name} fits a screen and has its examples`, async () => {
      const [program, words] = typed(name);
      const { out, code } = await printed(program, [...words, '--help']);
      assert.equal(code, 'commander.helpDisplayed');
      assert.ok(out.endsWith('\n'));
      const lines = out.trimEnd().split('\n');
      assert.ok(lines.length <= SCREEN.lines, `${lines.length} lines:\n${out}`);
      for (const line of lines) assert.ok(line.length <= SCREEN.columns, line);
      assert.ok(out.startsWith(`Usage: ${name}`), out);
      // Not wrapped: what is copied can be typed.
      for (const { line } of guideOf(everyCommand().find((each) => typedName(each) === name) as Command)
        ?.examples ?? [])
        for (const part of line.split('\n')) assert.ok(lines.includes(`  ${part}`), part);
    });

  it('shows options that there are', () => {
    for (const command of everyCommand()) {
      const flags = command.options.map(({ long }) => long);
      for (const usual of guideOf(command)?.usual ?? []) assert.ok(flags.includes(usual), usual);
    }
  });

  it('has examples that the program takes', async () => {
    for (const command of everyCommand()) {
      for (const { line } of guideOf(command)?.examples ?? []) {
        const ran = await parsed(line);
        // The default command's name need not be typed; those of a command with commands are theirs.
        const asked = typedName(command);
        assert.ok(ran.name.startsWith(asked), `${line} is shown by ${asked}, and runs ${ran.name}`);
        const expected = ran.command.registeredArguments.length;
        assert.ok(ran.command.args.length <= expected, `${line}: ${ran.command.args.join(' ')}`);
        if (ran.name === 'coordinator train') settleOptions(ran.command.opts<TrainArguments>(), MACHINE);
        if (ran.name === 'coordinator generate') planFaces(ran.command.opts<GenerateArguments>(), 100);
      }
    }
  });

  it('refuses an example with a mistake in it', async () => {
    await assert.rejects(parsed('coordinator --wrokers 2'), /unknown option '--wrokers'/);
    await assert.rejects(parsed('coordinator export runs/00000 --out x'), /--format <name>' not specified/);
  });
});

describe('--help-all', () => {
  for (const name of everyCommand().map(typedName))
    it(`of ${name} has every option with its default`, async () => {
      const [program, words] = typed(name);
      const { out, code } = await printed(program, [...words, '--help-all']);
      assert.equal(code, 'commander.help');
      const shown = out.replace(/\s+/g, ' ');
      const asked = everyCommand().find((each) => typedName(each) === name) as Command;
      for (const { flags, defaultValue, envVar } of withThoseBelow(asked).flatMap(({ options }) => options)) {
        assert.ok(shown.includes(` ${flags} `), `${flags} is not in\n${out}`);
        if (defaultValue !== undefined && typeof defaultValue !== 'boolean')
          assert.ok(shown.includes(`default: ${String(defaultValue)})`), `the default of ${flags}`);
        if (envVar !== undefined) assert.ok(shown.includes(`$${envVar}`), envVar);
      }
      for (const line of out.split('\n')) assert.ok(line.length <= SCREEN.columns, line);
    });

  it('is longer than --help where that leaves options out', async () => {
    const train = (word: string) => printed(coordinatorCommand(), ['train', word]);
    const [brief, full] = await Promise.all([train('--help'), train('--help-all')]);
    assert.ok(!brief.out.includes('--keep-checkpoints') && full.out.includes('--keep-checkpoints'));
    assert.match(brief.out, /coordinator train --help-all shows all \d\d options/);
  });
});
