import { CommanderError, type Command } from 'commander';
import { refuseEmptyValues } from './empty-values.js';
import { Interrupted, messageOf, UserError } from './errors.js';
import { sayFailure } from './log.js';

/** Exit codes: 0 done, 1 a fault, 2 a user's error, 130 interrupted with nothing to finish. */
const FAULT = 1;
const MISUSE = 2;
const INTERRUPTED = 130;

/**
 * Runs a command to its end. Whatever goes wrong ends in one line on stderr and an exit code, never a stack trace.
 * The process ends by itself when nothing is left open: what was begun is finished.
 */
export async function runProgram(command: Command, args: readonly string[]): Promise<void> {
  try {
    refuseEmptyValues(command);
    await ownExit(command, command.name()).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has printed its own line; help and version end with 0.
      process.exitCode = error.exitCode === 0 ? 0 : MISUSE;
      return;
    }
    sayFailure(command.name(), error);
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UserError) return MISUSE;
  return error instanceof Interrupted ? INTERRUPTED : FAULT;
}

/** Lets commander throw where it would exit, in all sub-commands, and print its errors as this program's line. */
function ownExit(command: Command, program: string): Command {
  command.exitOverride();
  command.configureOutput({
    outputError: (text, write) => {
      // commander puts what it guesses was meant on a line of its own.
      write(`${program}: ${messageOf(text.replace(/^error: /, ''))}\n`);
    },
  });
  for (const child of command.commands) ownExit(child, program);
  return command;
}
