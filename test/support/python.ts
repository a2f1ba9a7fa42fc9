import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** In milliseconds: PyTorch alone takes seconds to load. */
const LIMIT = 90_000;

/** The one of the PATH, and that of Debian's packages behind another. */
const PYTHONS = ['python3', '/usr/bin/python3'];

export const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));

/** The script beside this file's source that knows the tutorial's classes. */
const SCRIPT = fileURLToPath(new URL('../../../test/support/pytorch/interchange.py', import.meta.url));

/** A Python that has PyTorch; throws one line where there is none: these tests are never skipped. */
export async function findPyTorch(): Promise<string> {
  for (const python of PYTHONS) if (await hasTorch(python)) return python;
  throw new Error(
    `no python3 here has PyTorch: install Debian's package python3-torch, or by pip torch and numpy`,
  );
}

async function hasTorch(python: string): Promise<boolean> {
  try {
    await run(python, ['-c', 'import torch, numpy']);
    return true;
  } catch {
    return false;
  }
}

/** One of its commands. Returns what it prints. */
export function runInterchange(python: string, args: readonly string[]): Promise<string> {
  return run(python, [SCRIPT, `${EXAMPLES}pytorch`, ...args]);
}

/** Returns what it prints; rejects with what it says on stderr. */
export async function run(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' };
  const { stdout } = await execute(command, [...args], { env, cwd, timeout: LIMIT, killSignal: 'SIGKILL' });
  return stdout;
}
