import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, open, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf, Interrupted, messageOf, UserError } from '../common/errors.js';
import { writeFailure } from '../common/files/write-failure.js';
import type { Log } from '../common/log.js';
import { shown } from '../common/display-path.js';
import {
  isOfThisMachine,
  isRunning,
  ownIdentity,
  type ProcessIdentity,
} from '../common/process/process-identity.js';
import type { RunFolder } from './run-directory.js';

/** Milliseconds between updates of a lease, and until another machine treats it as expired. */
const TOUCH_INTERVAL = 10_000;
const BELIEVED = 60_000;

/** Milliseconds between attempts to acquire a held lock. */
const RETRY_INTERVAL = 1_000;

/** Content of a lock file. */
interface Holder extends Partial<ProcessIdentity> {
  /** Another one for each lock that was ever taken. */
  readonly token: string;
  /** When it was last touched, in milliseconds of the file system's clock. */
  readonly touched: number;
}

/** Thrown if another process has the lock. */
class Held extends Error {
  constructor(
    readonly holder: Holder,
    /** Milliseconds since it was last touched. */
    readonly age: number,
  ) {
    super('the lock is held');
  }
}

/**
 * A run's directory belongs to one coordinator at a time, by whatever path it was named: a file in it says to whom. On
 * this machine it is looked up whether that process lives; elsewhere it is believed as long as the file is touched.
 */
export class RunLock {
  readonly #timer: NodeJS.Timeout;
  /** When it was touched last: monotonic time stands still while some machines sleep, and wall time can be set. */
  #touched = clocks();

  private constructor(
    private readonly run: RunFolder,
    private readonly token: string,
    private readonly file: FileHandle,
    private readonly text: string,
  ) {
    this.#timer = setInterval(() => {
      this.#touch().catch(() => undefined);
    }, TOUCH_INTERVAL);
    this.#timer.unref();
  }

  /**
   * Waits for a holder on another machine, which may be gone, until its lock is too old to be believed. Rejects as
   * `take` does where it lives, and with Interrupted.
   */
  static async takeInTime(run: RunFolder, log: Log, signal: AbortSignal): Promise<RunLock> {
    const end = performance.now() + BELIEVED + TOUCH_INTERVAL;
    for (let said = false; ; said = true) {
      try {
        return await RunLock.take(run);
      } catch (error) {
        const held = error instanceof UserError ? error.cause : undefined;
        const mayBeGone = held instanceof Held && !isHere(held.holder) && performance.now() < end;
        if (!mayBeGone) throw error;
        if (!said) log(`${messageOf(error)}; waiting for it`);
        await pause(RETRY_INTERVAL, undefined, { signal }).catch(() => {
          throw new Interrupted('stopped while it waited for the run');
        });
      }
    }
  }

  /** Throws a UserError where another process has the run, or where the directory cannot be written to. */
  static async take(run: RunFolder): Promise<RunLock> {
    const token = randomBytes(16).toString('hex');
    const text = JSON.stringify({ ...ownIdentity(), token });
    try {
      await acquire(run.lockFile, token, text);
      return new RunLock(run, token, await open(run.lockFile, 'r+'), text);
    } catch (error) {
      if (error instanceof Held) throw inUse(run, error);
      throw new UserError(messageOf(writeFailure(shown(run.lockFile), error)), { cause: error });
    }
  }

  /**
   * To be called before the run's directory is written to. If this process stood still for so long that another machine may
   * have taken the run over, it looks whose the lock is. Rejects if it is another's.
   */
  async requireHeld(): Promise<void> {
    if (this.#isSure) return;
    const now = clocks();
    // Touched first: if it is still this process's after that, no other one takes it over now.
    await this.#touch().catch(() => undefined);
    const holder = await readHolder(this.run.lockFile);
    if (holder?.token !== this.token) throw takenOver(this.run, holder);
    this.#touched = now;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.file.close();
    await removeOwn(this.run.lockFile, this.token);
  }

  /** It was touched so lately that no other machine can have taken it over. */
  get #isSure(): boolean {
    const gaps = clocks().map((now, clock) => Math.abs(now - this.#touched[clock]));
    return Math.max(...gaps) < BELIEVED - 2 * TOUCH_INTERVAL;
  }

  /** Written and not dated, so that the times are the file system's own: clocks of two machines may differ. */
  async #touch(): Promise<void> {
    const isSure = this.#isSure;
    const now = clocks();
    await this.file.write(this.text, 0);
    if (isSure) this.#touched = now;
  }
}

/** Milliseconds of a monotonic clock and of wall time. */
function clocks(): readonly [number, number] {
  return [performance.now(), Date.now()];
}

/** Makes the lock's file, or replaces one whose holder is gone. Throws Held. */
async function acquire(path: string, token: string, text: string): Promise<void> {
  const own = `${path}.${token}.tmp`;
  try {
    await writeFile(own, text, { flag: 'wx' });
    for (;;) {
      if (await place(own, path)) return;
      const holder = await readHolder(path);
      if (!holder) continue; // It was released meanwhile.
      refuseIfAlive(holder, (await stat(own)).mtimeMs);
      if (await succeed(path, holder, own)) return;
    }
  } finally {
    await rm(own, { force: true });
  }
}

/**
 * Replaces a stale lock. Of several processes that try, one acquires a second lock for this very holder, and then
 * checks again: a late one finds the successor.
 */
async function succeed(path: string, gone: Holder, own: string): Promise<boolean> {
  const token = randomBytes(16).toString('hex');
  const succession = `${path}.${gone.token}`;
  await acquire(succession, token, JSON.stringify({ ...ownIdentity(), token }));
  try {
    const holder = await readHolder(path);
    if (holder?.token !== gone.token || holder.touched !== gone.touched) return false;
    await rename(own, path);
    return true;
  } finally {
    await removeOwn(succession, token);
  }
}

/** Puts a file if there is none, whole. Returns false if there is one. */
async function place(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path).catch(async (error: unknown) => {
      // Some file systems have no links. A copy is there before it is whole: it is believed until it is old.
      if (codeOf(error) === 'EEXIST') throw error;
      await copyFile(own, path, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined if there is no lock. One that says nothing has no process, and is judged by its age. */
async function readHolder(path: string): Promise<Holder | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  // Both of the same file: by its name it may be another one at the second look.
  try {
    const { mtimeMs: touched } = await file.stat();
    return { ...parseHolder(await file.readFile('utf8')), touched };
  } finally {
    await file.close();
  }
}

function parseHolder(text: string): Partial<ProcessIdentity> & { token: string } {
  try {
    const { host, namespace, pid, started, token } = JSON.parse(text) as ProcessIdentity & { token: string };
    if (/^[0-9a-f]{32}$/.test(token) && typeof host === 'string' && Number.isSafeInteger(pid) && pid > 0)
      return { host, namespace, pid, started, token };
  } catch {
    // Falls through: a torn file and a wrong one are the same.
  }
  return { token: 'unknown' };
}

function refuseIfAlive(holder: Holder, now: number): void {
  const age = Math.max(0, now - holder.touched);
  const alive = isHere(holder) ? isRunning(holder) : age < BELIEVED;
  if (alive) throw new Held(holder, age);
}

function isHere(holder: Partial<ProcessIdentity>): holder is ProcessIdentity {
  return isIdentified(holder) && isOfThisMachine(holder);
}

function isIdentified(holder: Partial<ProcessIdentity>): holder is ProcessIdentity {
  return holder.pid !== undefined;
}

async function removeOwn(path: string, token: string): Promise<void> {
  if ((await readHolder(path))?.token === token) await rm(path, { force: true });
}

function takenOver(run: RunFolder, holder: Holder | undefined): Error {
  const other = holder?.pid === undefined ? 'another coordinator' : `process ${holder.pid} on ${holder.host}`;
  return new Error(
    `${other} has taken over ${shown(run.path)} while this process stood still: this one writes nothing more to it`,
  );
}

function inUse(run: RunFolder, held: Held): UserError {
  const { holder, age } = held;
  const place = shown(run.path);
  if (isHere(holder))
    return new UserError(
      `${place} is in use by process ${holder.pid} of this machine: wait until it has ended, or end it`,
    );
  const who = isIdentified(holder) ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new UserError(
    `${place} is in use by ${who}, which was there ${Math.round(age / 1000)} s ago: ` +
      `if it has ended, try again in ${Math.ceil((BELIEVED - age) / 1000)} s`,
    { cause: held },
  );
}
