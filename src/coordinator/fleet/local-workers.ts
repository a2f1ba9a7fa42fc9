import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../../engine/engine.js';
import type { FleetKeys } from './fleet-keys.js';

const PROGRAM = fileURLToPath(new URL('../../worker/main.js', import.meta.url));

/** How long a worker that was told to stop may take, in milliseconds. */
const STOP_TIMEOUT = 10_000;

/** What TensorFlow logs as information or warning, whatever its log level is set to: of no use to anybody here. */
const TENSORFLOW_NOTICE =
  /^([IW]\d{4} |WARNING: All log messages before absl|To enable the following instructions)/;

/** How long the news that a process has ended may take, in milliseconds. */
const EXIT_NOTICE_TIME = 1_000;

/** Puts a process on some cores only; part of every Linux. */
const TASKSET = '/usr/bin/taskset';

export interface LocalWorkersOptions {
  readonly count: number;
  readonly coordinator: string;
  readonly engine: EngineName;
  readonly keys: FleetKeys | undefined;
  readonly placement: readonly Placement[];
  /** A line that a worker wrote on stderr. */
  readonly onLine: (worker: number, line: string) => void;
  /** A worker ended, for whatever reason: "was killed by SIGKILL". */
  readonly onExit: (worker: number, cause: string) => void;
}

/** What of this machine a worker has to itself. */
export interface Placement {
  readonly gpu: number | undefined;
  readonly cores: readonly number[];
}

/** Worker w's GPU, or else its part of the cores; all of them where there are fewer cores than workers. */
export function placeWorkers(count: number, gpus: readonly number[], cores: number): Placement[] {
  return Array.from({ length: count }, (_, worker) => {
    const gpu = gpus.length > 0 ? gpus[worker % gpus.length] : undefined;
    if (gpu !== undefined || cores < count) return { gpu, cores: [] };
    const first = Math.floor((worker * cores) / count);
    const next = Math.floor(((worker + 1) * cores) / count);
    return { gpu, cores: Array.from({ length: next - first }, (_, index) => first + index) };
  });
}

/**
 * The worker processes of this machine. Each holds a channel to this process and ends when that breaks, so none
 * outlives the coordinator, not even one that was killed.
 */
export class LocalWorkers {
  readonly #children: ChildProcess[];
  readonly #exits: Promise<void>[];

  constructor(options: LocalWorkersOptions) {
    this.#children = options.placement.map((placement) => start(options, placement));
    this.#exits = this.#children.map((child, worker) => watch(child, worker, options));
  }

  /** The worker that is this process, if any is. */
  numberOf(pid: number): number | undefined {
    const number = this.#children.findIndex((child) => child.pid === pid);
    return number < 0 ? undefined : number;
  }

  /** Waits for all to end; who does not is killed. */
  async stopped(): Promise<void> {
    const timer = setTimeout(() => {
      this.kill();
    }, STOP_TIMEOUT);
    await Promise.all(this.#exits);
    clearTimeout(timer);
  }

  /** Resolves when this worker's process has ended, or in a second where it lives on. */
  async ended(worker: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, EXIT_NOTICE_TIME);
    });
    await Promise.race([this.#exits[worker], patience]);
    clearTimeout(timer);
  }

  kill(): void {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL');
  }
}

function start({ coordinator, engine, keys }: LocalWorkersOptions, { gpu, cores }: Placement): ChildProcess {
  const node = [
    process.execPath,
    '--enable-source-maps',
    PROGRAM,
    '--coordinator',
    coordinator,
    '--engine',
    engine,
    ...(keys?.localArguments ?? []),
  ];
  const pinned =
    cores.length > 0 && existsSync(TASKSET) ? [TASKSET, '--cpu-list', cores.join(','), ...node] : node;
  const [command, ...args] = pinned as [string, ...string[]];
  return spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Before the engine is imported, and for every thread of the process: the worker sees one GPU, its own.
    env: { ...process.env, ...(gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: String(gpu) }) },
  });
}

/** Resolves when the process has ended and everything it wrote has been read. */
function watch(child: ChildProcess, worker: number, { onLine, onExit }: LocalWorkersOptions): Promise<void> {
  // The program's own last word, which says why it ended.
  let lastWord: string | undefined;
  if (child.stderr)
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith('worker: ')) lastWord = line.slice('worker: '.length);
      else if (!TENSORFLOW_NOTICE.test(line)) onLine(worker, line);
    });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      lastWord ??= error.message;
      if (child.pid === undefined) {
        onExit(worker, `could not be started: ${lastWord}`);
        resolve();
      }
    });
    child.on('close', (code, signal) => {
      const how = signal ? `was killed by ${signal}` : `ended with code ${String(code)}`;
      onExit(worker, lastWord === undefined ? how : `${how}: ${lastWord}`);
      resolve();
    });
  });
}
