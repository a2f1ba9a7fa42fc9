import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CrashReport } from '../../../common/process/crash-report.js';
import { newSecret, Secret } from '../../../common/secret.js';
import type { Handover } from '../../../wire/handover.js';
import type { Placement } from './placement.js';

const PROGRAM = fileURLToPath(new URL('../../../worker/main.js', import.meta.url));

/** Puts a process on some cores only; part of every Linux. */
const TASKSET = '/usr/bin/taskset';

/** TensorFlow's information and warning lines, which it prints at any log level. */
const TENSORFLOW_NOTICE =
  /^([IW]\d{4} |WARNING: All log messages before absl|To enable the following instructions)/;

export interface WorkerProcessOptions {
  readonly arguments: readonly string[];
  readonly placement: Placement;
  /** A folder for its sockets; see Handover. */
  readonly sockets: string | undefined;
  /** A line that it wrote on stderr. */
  readonly onLine: (line: string) => void;
}

/**
 * A worker process of this machine. It holds a channel to this process and ends when that breaks, so that it cannot
 * outlive the coordinator, not even one that was killed.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  /** Resolves with the cause of the end ("was killed by SIGKILL") after all output was read. */
  readonly ended: Promise<string>;
  /** Known to this process and its child alone: arguments and environment can be read by others. */
  readonly secret: Secret;

  constructor(options: WorkerProcessOptions) {
    this.#child = start(options);
    const secret = newSecret();
    this.secret = new Secret(secret);
    const handover: Handover = { secret, sockets: options.sockets };
    // If the child could not be started or is gone already, `ended` reports how.
    if (this.#child.connected) this.#child.send(handover, () => undefined);
    this.ended = watch(this.#child, options.onLine);
  }

  kill(): void {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
  }
}

function start({ arguments: args, placement: { gpu, cores } }: WorkerProcessOptions): ChildProcess {
  const node = [process.execPath, '--enable-source-maps', PROGRAM, ...args];
  const pinned =
    cores.length > 0 && existsSync(TASKSET) ? [TASKSET, '--cpu-list', cores.join(','), ...node] : node;
  const [command, ...rest] = pinned as [string, ...string[]];
  return spawn(command, rest, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Before the engine is imported, and for every thread of the process: the worker sees one GPU, its own.
    env: { ...process.env, ...(gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: String(gpu) }) },
  });
}

function watch(child: ChildProcess, onLine: (line: string) => void): Promise<string> {
  // The program's own last word, which says why it ended.
  let lastWord: string | undefined;
  const crash = new CrashReport();
  if (child.stderr)
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (crash.take(line)) lastWord = crash.reason ?? lastWord;
      else if (line.startsWith('worker: ')) lastWord = line.slice('worker: '.length);
      else if (line !== '' && !TENSORFLOW_NOTICE.test(line)) onLine(line);
    });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      lastWord ??= error.message;
      if (child.pid === undefined) resolve(`could not be started: ${lastWord}`);
    });
    child.on('close', (code, signal) => {
      const how = signal ? `was killed by ${signal}` : `ended with code ${String(code)}`;
      resolve(lastWord === undefined ? how : `${how}: ${lastWord}`);
    });
  });
}
