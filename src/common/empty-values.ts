import type { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import { withThoseBelow } from './brief-help.js';
import { UserError } from './errors.js';

/**
 * Makes every option that takes a value, and every argument, refuse one that is empty or blank. Mostly it is a variable
 * that was not set, and an empty path would be the working directory.
 */
export function refuseEmptyValues(program: Command): void {
  for (const command of withThoseBelow(program)) {
    // What commander's types leave out: a listener added here would come after the one that keeps the value.
    const events = command as unknown as EventEmitter;
    for (const option of command.options.filter(({ required, optional }) => required || optional)) {
      const flag = option.long ?? option.flags;
      events.prependListener(`option:${option.name()}`, (value: string | null) => {
        requireValue(flag, value);
      });
      events.prependListener(`optionEnv:${option.name()}`, (value: string) => {
        requireValue(option.envVar ?? flag, value);
      });
    }
  }
  program.hook('preAction', (_, { args, registeredArguments }) => {
    for (const [index, value] of args.entries())
      requireValue(registeredArguments.at(index)?.name() ?? `argument ${index + 1}`, value);
  });
}

/** `null` stands for an option whose value may be left out, and was. */
function requireValue(what: string, value: string | null): void {
  if (value === null || value.trim() !== '') return;
  const found = value === '' ? 'an empty string' : 'only blanks';
  throw new UserError(`${what}: expected a value, found ${found}; check the variable you passed`);
}
