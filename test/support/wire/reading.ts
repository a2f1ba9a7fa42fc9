import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./reading-process.js', import.meta.url));

/** A process that reads all messages that come to its address, until it is stopped in the midst of them. */
export async function readingProcess(t: TestContext): Promise<{ address: string; stop: () => void }> {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { address: line.trim(), stop: () => child.kill('SIGSTOP') };
}
