import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const LIMIT = 60_000;

/** Runs a tool of Prometheus to its end. What it finds wrong is in the error. */
export async function runTool(name: 'prometheus' | 'promtool', args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(name, args, { timeout: LIMIT });
  return stdout;
}
