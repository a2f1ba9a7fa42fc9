import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Place } from './program.js';

const SCRIPT = fileURLToPath(new URL('../../../../test/support/trainer/terminal.py', import.meta.url));

/** A command in a terminal of its own, as the leader of its session. */
export class Terminal {
  private constructor(
    private readonly helper: ChildProcess,
    private readonly answers: AsyncIterator<string>,
    private readonly lines: Interface,
    readonly pid: number,
  ) {}

  static async start(command: readonly string[], { cwd, env }: Place): Promise<Terminal> {
    const helper = spawn('python3', [SCRIPT, ...command], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: helper.stdout });
    const answers = lines[Symbol.asyncIterator]();
    const { pid } = JSON.parse(String((await answers.next()).value)) as { pid: number };
    return new Terminal(helper, answers, lines, pid);
  }

  /** Closes the window: the system hangs up on the session. */
  close(): void {
    this.helper.stdin?.end();
  }

  /** The command's exit code; negative: the signal that ended it. */
  async ended(): Promise<number> {
    const { code } = JSON.parse(String((await this.answers.next()).value)) as { code: number };
    return code;
  }

  /** Ends the command, if it still runs. */
  async remove(): Promise<void> {
    this.lines.close();
    if (this.helper.exitCode !== null) return;
    const gone = once(this.helper, 'exit');
    process.kill(this.pid, 'SIGKILL');
    this.close();
    await gone;
  }
}
