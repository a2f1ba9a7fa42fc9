import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { printableLines } from '#printable';
import { codeOf, messageOf } from './errors.js';

/** The output of a command could not be written. */
export class OutputFailure extends Error {
  override readonly name = 'OutputFailure';
}

/**
 * The two output streams of the process; all that the program writes to them comes by here, and does nothing to a terminal.
 */
const STREAMS = { 1: () => process.stdout, 2: () => process.stderr } as const;

/**
 * Keeps the process running when the reader of its output goes away, or the output cannot be written. Without it the
 * stream's 'error' event, which may come long after a write, ends the process.
 */
export function outliveConsole(): void {
  for (const stream of Object.values(STREAMS)) stream().on('error', () => undefined);
}

/** Error codes of a write to a pipe without a reader: the first time, and later. */
const READER_GONE: readonly (string | undefined)[] = ['EPIPE', 'ERR_STREAM_DESTROYED'];

/** Writes to stderr. What cannot be written is dropped: a log is never worth a run. */
export function report(text: string): void {
  write(2, text).catch(() => undefined);
}

/**
 * Writes what a command was asked for to stdout. Rejects with OutputFailure if that fails; a reader that wants no more of
 * it (`| head`) is no failure.
 */
export async function print(text: string): Promise<void> {
  try {
    await write(1, text);
  } catch (error) {
    if (READER_GONE.includes(codeOf(error))) return;
    throw new OutputFailure(
      `cannot write to stdout: ${messageOf(error)}; redirect it to where there is room`,
      { cause: error },
    );
  }
}

async function write(descriptor: keyof typeof STREAMS, raw: string): Promise<void> {
  const text = printableLines(raw);
  if (isFile(descriptor)) {
    writeWhole(descriptor, text);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    STREAMS[descriptor]().write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Node's own stream of a file is of no use any more after the first failure, and a full disk gets room again. */
function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

const areFiles = new Map<number, boolean>();

function isFile(descriptor: keyof typeof STREAMS): boolean {
  let known = areFiles.get(descriptor);
  if (known === undefined) {
    const stat = fstatSync(descriptor);
    known = stat.isFile() || (stat.isCharacterDevice() && !isatty(descriptor));
    areFiles.set(descriptor, known);
  }
  return known;
}
