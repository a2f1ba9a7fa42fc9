import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { isatty } from 'node:tty';

/**
 * Hangups (SIGHUP): what a terminal sends when it closes. A program under nohup ignores them, but Node sets every signal
 * back to its default when it starts, so what was ignored has to be inferred from what nohup leaves behind.
 */

const HANGUP_BIT = 1n;
const ACCESS_MODE = 0o3;
const WRITE_ONLY = 0o1;

const listeners = new Set();
let start;
let isOutlived = false;

/**
 * From now on a hangup reaches the listeners, ends the process if there are none, or is ignored: under nohup, and if the
 * terminal is gone and the output never went to it.
 */
export function heedHangups() {
  if (start) return;
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  start = {
    isShown: terminals.some((descriptor) => descriptor > 0),
    hasTerminal: hasTerminal(),
    isProtected: [process.pid, ...groupAncestors()].some(showsNohup),
  };
  process.on('SIGHUP', receive);
  process.on('exit', () => leaveLostTerminals(terminals));
}

/** Calls the listener at each hangup that is not ignored. */
export function onHangup(listener) {
  listeners.add(listener);
}

export function offHangup(listener) {
  listeners.delete(listener);
}

/** Tells whether this process may ignore a hangup: what it runs in its process group would end of it all the same. */
export function mayOutliveHangups() {
  return start !== undefined && (start.isProtected || (start.hasTerminal && !start.isShown));
}

/** Tells whether a hangup has come and was ignored: it has ended other processes of the group then, npm among them. */
export function hasOutlivedHangup() {
  return isOutlived;
}

function receive() {
  const isLeftAlone = start.hasTerminal && !hasTerminal() && !start.isShown;
  if (start.isProtected || isLeftAlone) {
    isOutlived = true;
    return;
  }
  if (listeners.size > 0) {
    for (const listener of [...listeners]) listener('SIGHUP');
    return;
  }
  process.off('SIGHUP', receive);
  process.kill(process.pid, 'SIGHUP');
}

/**
 * Puts /dev/null in the place of each terminal that is gone. Node aborts at its end if it cannot set one back to how it
 * was.
 */
function leaveLostTerminals(terminals) {
  for (const descriptor of terminals) {
    if (isatty(descriptor)) continue;
    try {
      closeSync(descriptor);
      openSync('/dev/null', 'r+'); // takes the lowest free number: the one just closed
    } catch {
      // It was closed already: Node has nothing to set back.
    }
  }
}

/** Tells whether the process has a controlling terminal. */
function hasTerminal() {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** The processes that this one descends from, as far as they are in its process group: npm and shells. */
function groupAncestors() {
  const found = [];
  const own = statOf(process.pid);
  let stat = own;
  while (stat && stat.group === own.group && stat.parent > 1) {
    const parent = statOf(stat.parent);
    if (parent?.group !== own.group) break;
    found.push(stat.parent);
    stat = parent;
  }
  return found;
}

/** A shell still ignores the signal; nohup's own traces are its name, its output file, and an input that cannot be read. */
function showsNohup(pid) {
  return (
    ignoresHangup(pid) ||
    startedAs(pid) === 'nohup' ||
    [1, 2].some((descriptor) => isFileOf(pid, descriptor, 'nohup.out')) ||
    hasUnreadableInput(pid)
  );
}

function ignoresHangup(pid) {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readOf(pid, 'status'))?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) & HANGUP_BIT) !== 0n;
}

/** Shells leave the command that they start in its environment as `_`, and nohup passes that on. */
function startedAs(pid) {
  const entry = readOf(pid, 'environ')
    .split('\0')
    .find((each) => each.startsWith('_='));
  return entry === undefined ? undefined : basename(entry.slice(2));
}

function isFileOf(pid, descriptor, name) {
  try {
    return basename(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) === name;
  } catch {
    return false;
  }
}

/** GNU nohup replaces a terminal as input by /dev/null, opened for writing only. */
function hasUnreadableInput(pid) {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readOf(pid, 'fdinfo/0'))?.[1];
  const isWriteOnly = flags !== undefined && (Number.parseInt(flags, 8) & ACCESS_MODE) === WRITE_ONLY;
  return isWriteOnly && isFileOf(pid, 0, 'null');
}

/** Parent and process group: fields 4 and 5 of /proc/PID/stat. The name before them may hold anything. */
function statOf(pid) {
  const [, parent, group] = readOf(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return group === undefined ? undefined : { parent: Number(parent), group };
}

/** Empty where the system has no /proc, or does not let us read it. */
function readOf(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
