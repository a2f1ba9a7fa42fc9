import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../common/errors.js';
import { DAY } from './failure.js';

const PREFIX = '.partial-';

/** A folder to make an engine in, on the disk it will be on, named for the process that works there. */
export async function makeWorkFolder(engines: string): Promise<string> {
  await mkdir(engines, { recursive: true });
  const folder = await mkdtemp(join(engines, `${PREFIX}${hostname()}-${process.pid}-`));
  await chmod(folder, 0o755); // a cache may be shared; mkdtemp keeps the others out
  return folder;
}

/** Removes what set-ups left that were killed. One on another machine, of a shared cache, may be at work for long. */
export async function removeLeftovers(engines: string): Promise<void> {
  for (const name of await readdir(engines).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(engines, name);
    const age = Date.now() - (await stat(folder)).mtimeMs;
    if (isLeftover(name, age, hostname(), isAlive)) await rm(folder, { recursive: true, force: true });
  }
}

export function isLeftover(
  name: string,
  age: number,
  host: string,
  alive: (processId: number) => boolean,
): boolean {
  const maker = /^\.partial-(.+)-(\d+)-[^-]+$/.exec(name);
  return maker?.[1] === host ? !alive(Number(maker[2])) : age > DAY;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
