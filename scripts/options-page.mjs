// npm run docs: writes docs/options.md from the declarations of the options. With --check: fails if it is out of date.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { guideOf } from '../dist/src/common/brief-help.js';
import { coordinatorCommand } from '../dist/src/cli/commands.js';
import { workerCommand } from '../dist/src/worker/options.js';
import { orExit, root, StepFailure } from './tool.mjs';

const file = join(root, 'docs/options.md');

await orExit(main());

async function main() {
  const page = await prettier.format(render(), { ...(await prettier.resolveConfig(file)), filepath: file });
  if (!process.argv.includes('--check')) await writeFile(file, page);
  else if ((await readFile(file, 'utf8')) !== page)
    throw new StepFailure('docs/options.md is out of date: run npm run docs');
}

function render() {
  const programs = [coordinatorCommand(), workerCommand(() => Promise.resolve())];
  return `# Options

Every command and option, generated from their declarations. \`npm start -- ...\` is \`coordinator ...\`, \`npm run worker -- ...\`
is \`worker ...\`. With any of them, \`--help\` prints examples and common options, \`--help-all\` every option.

${programs.flatMap((program) => sections(program, program.name())).join('\n\n')}
`;
}

/** A command and its sub-commands. */
function sections(command, name) {
  const own = ownOptions(command).length > 0 || command.commands.length === 0 ? [section(command, name)] : [];
  return [...own, ...command.commands.flatMap((child) => sections(child, `${name} ${child.name()}`))];
}

function section(command, name) {
  const usage = [name, ...command.registeredArguments.map((argument) => argumentText(argument))].join(' ');
  const groups = grouped(ownOptions(command));
  const tables = [...groups].map(([title, options]) => `${title && `**${title}**\n\n`}${table(options)}`);
  return [`## \`${usage}\``, sentence(command.description()), ...examples(command), ...tables].join('\n\n');
}

/** But --help-all, which every command has. */
function ownOptions(command) {
  return command.options.filter(({ long }) => long !== '--help-all');
}

function examples(command) {
  const lines = (guideOf(command)?.examples ?? []).map(({ what, line }) => `# ${what}\n${line}`);
  return lines.length === 0 ? [] : [`\`\`\`sh\n${lines.join('\n')}\n\`\`\``];
}

function argumentText(argument) {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function grouped(options) {
  const groups = new Map();
  for (const option of options) groups.set(group(option), [...(groups.get(group(option)) ?? []), option]);
  return groups;
}

function group(option) {
  return option.helpGroupHeading?.replace(/:$/, '') ?? '';
}

function table(options) {
  const rows = options.map(({ flags, description: told, argChoices, defaultValue, envVar, mandatory }) => {
    // Where a default depends on the machine or on other options, words say which.
    const [, description, words] = /^(.*?)(?:\s*\(default:?\s([^)]*)\))?$/.exec(told);
    const said = [description, argChoices && `one of ${argChoices.map(code).join(', ')}`]
      .filter(Boolean)
      .join(': ');
    const preset = [
      defaultValue !== undefined && defaultValue !== false && code(defaultValue),
      envVar && code(`$${envVar}`),
    ];
    return [code(flags), preset.filter(Boolean).join(', ') || words || (mandatory ? 'required' : ''), said];
  });
  const lines = [['Option', 'Default', ''], ['---', '---', '---'], ...rows].map(
    (cells) => `| ${cells.map(escaped).join(' | ')} |`,
  );
  return lines.join('\n');
}

function code(text) {
  return `\`${text}\``;
}

function escaped(text) {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*');
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
