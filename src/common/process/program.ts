import { heedHangups } from '#hangup';
import { printable } from '#printable';
import { CommanderError, type Command } from 'commander';
import { outliveConsole, print, report } from '../console.js';
import { refuseEmptyValues } from '../empty-values.js';
import { Interrupted, UserError } from '../errors.js';
import { exitSoon } from './exit-now.js';
import { sayFailure } from '../log.js';

/** Exit codes: 0 done, 1 a fault, 2 a user's error, 130 interrupted with nothing to finish. */
const FAULT = 1;
const MISUSE = 2;
const INTERRUPTED = 130;

/**
 * Runs a command to its end. Whatever goes wrong ends in one line on stderr and an exit code, never a stack trace.
 * The process ends by itself when nothing is left open: what was begun is finished. After a failure it ends in any case.
 */
export async function runProgram(command: Command, args: readonly string[]): Promise<void> {
  outliveConsole();
  heedHangups();
  const texts: string[] = [];
  try {
    refuseEmptyValues(command);
    await ownExit(command, command.name(), texts).parseAsync([...args], { from: 'user' });
  } catch (error) {
    process.exitCode = await codeOfFailure(command.name(), error, texts);
    if (process.exitCode !== 0) exitSoon(process.exitCode);
  }
}

/** Reports the failure. `texts`: help or version, which commander ends with as if they were one. */
async function codeOfFailure(program: string, error: unknown, texts: readonly string[]): Promise<number> {
  if (!(error instanceof CommanderError)) {
    sayFailure(program, error);
    return exitCodeOf(error);
  }
  // commander has had its own line reported.
  if (error.exitCode !== 0) return MISUSE;
  try {
    await print(texts.join(''));
    return 0;
  } catch (failure) {
    sayFailure(program, failure);
    return FAULT;
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UserError) return MISUSE;
  return error instanceof Interrupted ? INTERRUPTED : FAULT;
}

/**
 * Lets commander throw where it would exit, in all sub-commands, and report its errors as this program's line. What it
 * would print goes to `texts`.
 */
function ownExit(command: Command, program: string, texts: string[]): Command {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => texts.push(text),
    outputError: (text) => {
      // commander puts what it guesses was meant on a line of its own.
      const line = text.replace(/^error: /, '').replace(/\n(?=\(Did you mean )/, ' ');
      report(`${program}: ${printable(line.trimEnd())}\n`);
    },
  });
  for (const child of command.commands) ownExit(child, program, texts);
  return command;
}
