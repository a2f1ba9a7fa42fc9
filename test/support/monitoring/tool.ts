import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { codeOf } from '../../../src/common/errors.js';

const LIMIT = 60_000;

/** Runs a tool of Prometheus to its end. What it finds wrong is in the error. */
export async function runTool(name: 'prometheus' | 'promtool', args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(name, args, { timeout: LIMIT });
    return stdout;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(`there is no ${name} on this machine: install Debian's package prometheus`, {
      cause: error,
    });
  }
}
