import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Deferred } from '../../../src/common/deferred.js';
import { StallLimit } from '../stall-limit.js';
import { until } from '../wire/until.js';

const PROGRAMS = {
  coordinator: fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url)),
  worker: fileURLToPath(new URL('../../../src/worker/main.js', import.meta.url)),
} as const;

/** Milliseconds of standstill, without a line or computing, after which a program has failed. */
const LIMIT = 90_000;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Lines of stderr. */
  readonly lines: readonly string[];
}

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** One of our programs, running, in a process group of its own as a shell gives it. */
export class Program {
  readonly lines: string[] = [];
  readonly #ended = new Deferred<Ending>();
  #stdout = '';
  #isOver = false;

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => this.lines.push(line));
    child.on('error', this.#ended.reject);
    child.on('close', (code, signal) => {
      this.#isOver = true;
      this.#ended.resolve({ code, signal, stdout: this.#stdout, lines: this.lines });
    });
  }

  static start(name: keyof typeof PROGRAMS, args: readonly string[], { cwd, env }: Place): Program {
    return Program.run([process.execPath, '--enable-source-maps', PROGRAMS[name], ...args], { cwd, env });
  }

  /** Any command, such as a shell that sets limits for one of our programs. */
  static run([command, ...args]: readonly string[], { cwd, env }: Place): Program {
    return new Program(spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true }));
  }

  static pathOf(name: keyof typeof PROGRAMS): string {
    return PROGRAMS[name];
  }

  /** What it has written to stdout so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the program could not be started');
    return this.child.pid;
  }

  /** To this process alone. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** To its whole group, as a terminal's Ctrl-C. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** The first line on stderr, now or later, that looks like this. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    return until(
      `${String(pattern)} on stderr`,
      () => {
        const found = this.#find(pattern);
        if (!found && this.#isOver)
          throw new Error(`it ended without ${String(pattern)}:\n${this.lines.join('\n')}`);
        return found;
      },
      LIMIT,
    );
  }

  async ended(): Promise<Ending> {
    const stall = new StallLimit(LIMIT);
    let lines = this.lines.length;
    const timer = setInterval(() => {
      if (this.lines.length > lines) stall.restart();
      lines = this.lines.length;
      if (stall.isOver)
        this.#ended.reject(new Error(`no progress for ${LIMIT} ms:\n${this.lines.join('\n')}`));
    }, 1_000);
    try {
      return await this.#ended.promise;
    } finally {
      clearInterval(timer);
    }
  }

  /** Closes this end of its output, as a reader that goes away does. */
  stopReading(): void {
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
  }

  /** Whatever state it is in. */
  async kill(): Promise<void> {
    if (!this.#isOver) this.child.kill('SIGKILL');
    await this.#ended.promise.catch(() => undefined);
  }

  #find(pattern: RegExp): RegExpExecArray | undefined {
    for (const line of this.lines) {
      const match = pattern.exec(line);
      if (match) return match;
    }
    return undefined;
  }
}
