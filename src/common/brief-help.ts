import { Help, Option, type Argument, type Command } from 'commander';

/** A line that can be typed, and what it is for. */
export interface Example {
  readonly what: string;
  /** Long ones continue after a backslash, as in a shell. */
  readonly line: string;
}

/** Help of a command besides its options. */
export interface Guide {
  readonly examples: readonly Example[];
  /** The long flags that --help shows; all if omitted. */
  readonly usual?: readonly string[];
}

interface Known {
  readonly guide: Guide;
  isFull: boolean;
}

const ALL = '--help-all';
const known = new WeakMap<Command, Known>();

/** Arguments of a command; undefined for one without. */
export function guideOf(command: Command): Guide | undefined {
  return known.get(command)?.guide;
}

/**
 * `--help` fits a screen: examples and the usual options. `--help-all` lists every option, with defaults; of a command
 * that has commands, theirs too.
 */
export function addBriefHelp(command: Command, guide: Guide): void {
  known.set(command, { guide, isFull: false });
  command
    .enablePositionalOptions() // a command's own --help-all is not its parent's
    .helpOption('-h, --help', 'examples and the usual options')
    .addOption(new Option(ALL, 'every option').helpGroup('Help:'))
    .configureHelp({
      formatHelp: (asked, helper) =>
        `${Help.prototype.formatHelp.call(helper, asked, helper)}\n${known.get(asked)?.isFull ? thoseBelow(asked) : whereTheRestIs(asked)}`,
      commandDescription: describe,
      visibleOptions: shownOptions,
      optionDescription: describeOption,
      subcommandTerm: (child) => [child.name(), ...child.registeredArguments.map(argumentTerm)].join(' '),
      // No blank line between groups: a screen has few.
      formatItemList: (heading, items) => (items.length === 0 ? [] : [heading, ...items]),
    })
    .on('option:help-all', () => {
      printAll(command);
    });
}

/** The options of a command that --help shows, or those that --help-all does. */
function shownOptions(command: Command): Option[] {
  const options = command.options.filter(({ hidden }) => !hidden);
  const entry = known.get(command);
  if (entry === undefined || entry.isFull) return options;
  const { usual } = entry.guide;
  return options.filter(({ long }) => long !== ALL && (usual === undefined || usual.includes(String(long))));
}

function describe(command: Command): string {
  const { examples = [] } = guideOf(command) ?? {};
  if (examples.length === 0) return command.description();
  const lines = examples.flatMap(({ what, line }) => [`# ${what}`, ...line.split('\n')]);
  return [command.description(), '', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

function describeOption({ description, argChoices, defaultValue, envVar, mandatory }: Option): string {
  const preset =
    defaultValue === undefined || typeof defaultValue === 'boolean'
      ? undefined
      : `default: ${String(defaultValue)}`;
  const facts = [
    argChoices?.join(', '),
    preset,
    envVar !== undefined && `or $${envVar}`,
    mandatory && 'required',
  ].filter(Boolean);
  return facts.length === 0 ? description : `${description} (${facts.join('; ')})`;
}

function whereTheRestIs(command: Command): string {
  const name = typedName(command);
  if (command.commands.length > 0)
    return `
${name} COMMAND --help shows one command,
${name} ${ALL} every option.
`;
  const count = command.options.length - 1; // but --help-all
  const unseen = count - shownOptions(command).length;
  return unseen === 0
    ? ''
    : `
${name} ${ALL} shows all ${count} options.
`;
}

function thoseBelow(command: Command): string {
  return command.commands
    .map(
      (each) => `
${each.helpInformation()}`,
    )
    .join('');
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

/** Name as typed: "coordinator engine status". */
export function typedName(command: Command): string {
  return command.parent ? `${typedName(command.parent)} ${command.name()}` : command.name();
}

/** Prints, and ends as --help does. */
function printAll(command: Command): void {
  const all = withThoseBelow(command).flatMap((each) => known.get(each) ?? []);
  for (const entry of all) entry.isFull = true;
  try {
    command.help();
  } finally {
    for (const entry of all) entry.isFull = false;
  }
}

/** A command, and those of which it consists. */
export function withThoseBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withThoseBelow)];
}
