import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { curveKeyPair } from 'zeromq';
import { largestPeak } from '../support/process-tree.js';
import {
  WARM_UP,
  type CoordinatorOrder,
  type CoordinatorWord,
  type WorkerOrder,
  type WorkerWord,
} from './orders.js';
import type { Row } from './rows.js';

/** A group that is not done by then has stopped; in milliseconds. */
const TIME_LIMIT = 180_000;

export interface Measured {
  /** Of each round: the slowest process's. */
  readonly milliseconds: readonly number[];
  /** The processor's time of a round, of all processes together. */
  readonly cpuMilliseconds: number;
  /** Of the coordinator, MiB. */
  readonly coordinatorPeak?: number;
}

/** Starts a coordinator and its workers, each a process of its own, and ends them. */
export async function runGroup(row: Row, rounds: number): Promise<Measured> {
  const children: ChildProcess[] = [];
  const timer = setTimeout(() => {
    for (const child of children) child.kill('SIGKILL');
  }, TIME_LIMIT);
  const start = (script: string): ChildProcess => {
    const child = fork(new URL(script, import.meta.url), { execArgv: profilingArguments() });
    children.push(child);
    return child;
  };
  try {
    const { workers, coordinator: key } = keysFor(row);
    const coordinator = start('coordinator-process.js');
    const order: CoordinatorOrder = {
      ...{
        workers: row.processes,
        way: row.way ?? 'star',
        wire: row.wire,
        transport: row.transport,
        listen: listenAddress(row),
        rounds: rounds + WARM_UP,
      },
      security: key && { secretKey: key.secretKey, admitted: workers.map(({ publicKey }) => publicKey) },
    };
    coordinator.send(order);
    const address = await wordOf<CoordinatorWord>(coordinator);
    if (!('address' in address)) throw new Error('the coordinator ended before it began');
    const done = wordOf<CoordinatorWord>(coordinator);
    const words = Array.from({ length: row.processes }, (_, number) => {
      const worker = start('worker-process.js');
      const workerOrder: WorkerOrder = {
        ...{ number, coordinator: address.address, transport: row.transport },
        security: key && { ...workers[number], serverKey: key.publicKey },
      };
      worker.send(workerOrder);
      return wordOf<WorkerWord>(worker);
    });
    const [workersSaid, coordinatorSaid] = await Promise.all([Promise.all(words), done]);
    const coordinatorPeak = largestPeak(coordinator.pid ?? 0);
    if (!('cpuMilliseconds' in coordinatorSaid)) throw new Error('the coordinator said where it is twice');
    const cpuMilliseconds = [coordinatorSaid, ...workersSaid].reduce(
      (sum, word) => sum + word.cpuMilliseconds,
      0,
    );
    const milliseconds = slowest(workersSaid.map((word) => word.milliseconds));
    return { milliseconds, cpuMilliseconds, coordinatorPeak };
  } finally {
    clearTimeout(timer);
    await Promise.all(children.map(ended));
  }
}

/** Of each round, without those that are not counted. */
function slowest(all: readonly (readonly number[])[]): number[] {
  return all[0].map((_, round) => Math.max(...all.map((one) => one[round]))).slice(WARM_UP);
}

function listenAddress({ way, transport }: Row): string {
  const isNear = transport === 'ipc' || transport === 'memory';
  return isNear && way === 'star' ? `ipc://@bench-${randomUUID()}` : 'tcp://127.0.0.1:*';
}

function keysFor({ transport, processes }: Row) {
  if (transport !== 'curve') return { workers: [], coordinator: undefined };
  return { workers: Array.from({ length: processes }, curveKeyPair), coordinator: curveKeyPair() };
}

async function wordOf<Word>(child: ChildProcess): Promise<Word> {
  const said = once(child, 'message');
  const end = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`a process of the group ended with ${String(code ?? signal)}`);
  });
  const [word] = (await Promise.race([said, end])) as [Word];
  return word;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.connected) child.disconnect();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await once(child, 'exit');
  clearTimeout(timer);
}

/** With --cpu-prof for this process, its children write profiles too. */
function profilingArguments(): string[] {
  return process.execArgv.filter((argument) => argument.startsWith('--cpu-prof'));
}
