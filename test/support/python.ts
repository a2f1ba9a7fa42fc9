import { execFile, spawnSync } from 'node:child_process';
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

/** The command of a Python that has PyTorch; undefined if there is none. */
export function findPyTorch(): string | undefined {
  const probe =
    'import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, ["torch", "numpy"])))';
  return PYTHONS.find((python) => spawnSync(python, ['-c', probe]).status === 0);
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
