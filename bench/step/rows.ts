import type { Precision } from '../../src/engine/engine.js';

export type Program = 'trainer' | 'pytorch' | 'keras';
export type Device = 'cpu' | 'gpu';

/** One way to train, and a row of the table. */
export interface Row {
  readonly program: Program;
  readonly name: string;
  readonly device: Device;
  readonly precision: Precision;
  readonly processes: number;
  /** Of a process. */
  readonly threads: number;
  /** What makes the program train in this way. */
  readonly args: readonly string[];
  /** Few steps must do: this one takes many times as long as the others. */
  readonly slow?: true;
}

export interface Machine {
  /** That the benchmark may use. */
  readonly threads: number;
  readonly gpus: number;
}

/** How the processes of a row share a device. */
interface Place {
  readonly device: Device;
  readonly processes: number;
  readonly threads: number;
}

/** Processes that share the cores, where they are what is compared. */
const CPU_PROCESSES = 2;

/** Every row that a machine can have. */
export function rowsFor({ threads, gpus }: Machine): Row[] {
  const on = (device: Device, processes: number): Place => ({
    device,
    processes,
    threads: Math.max(1, Math.floor(threads / processes)),
  });
  return [
    ...aloneOn(on('cpu', 1)),
    trainer('wasm', 'fp32', on('cpu', 1), { engine: 'wasm', slow: true }),
    ...togetherOn(on('cpu', CPU_PROCESSES)),
    ...(gpus > 0 ? aloneOn(on('gpu', 1)) : []),
    ...(gpus > 1 ? togetherOn(on('gpu', gpus)) : []),
  ];
}

function aloneOn(place: Place): Row[] {
  return [
    trainer('recorded', 'fp32', place),
    trainer('eager', 'fp32', place, { args: ['--eager'] }),
    trainer('recorded', 'bf16', place),
    pytorch('as in the tutorial', 'fp32', place, ['--unread-gradients']),
    ...(['fp32', 'bf16'] as const).flatMap((precision) => [
      pytorch('plain', precision, place),
      pytorch('channels-last', precision, place, ['--channels-last']),
      pytorch('torch.compile', precision, place, ['--compile', '--channels-last']),
      keras(precision, place),
    ]),
  ];
}

function togetherOn(place: Place): Row[] {
  return (['fp32', 'bf16'] as const).flatMap((precision) => [
    trainer('workers', precision, place),
    pytorch('DDP, channels-last', precision, place, ['--channels-last']),
  ]);
}

function trainer(
  name: string,
  precision: Precision,
  place: Place,
  { engine = 'native', args = [], slow }: { engine?: string; args?: readonly string[]; slow?: true } = {},
): Row {
  const { processes, threads } = place;
  const who = processes === 1 ? ['--single-node'] : ['--workers', String(processes)];
  return {
    program: 'trainer',
    name,
    precision,
    ...place,
    args: [...who, '--threads', String(threads), '--engine', engine, '--precision', precision, ...args],
    ...(slow && { slow }),
  };
}

function pytorch(name: string, precision: Precision, place: Place, args: readonly string[] = []): Row {
  const processes = ['--processes', String(place.processes)];
  return {
    program: 'pytorch',
    name,
    precision,
    ...place,
    args: [...peerArguments(precision, place), ...processes, ...args],
  };
}

function keras(precision: Precision, place: Place): Row {
  return {
    program: 'keras',
    name: 'tf.function',
    precision,
    ...place,
    args: peerArguments(precision, place),
  };
}

function peerArguments(precision: Precision, { device, threads }: Place): string[] {
  const cuda = device === 'gpu' ? 'cuda' : 'cpu';
  return ['--device', cuda, '--threads', String(threads), ...(precision === 'bf16' ? ['--bf16'] : [])];
}

const PROGRAM_NAMES: Readonly<Record<Program, string>> = {
  trainer: 'here',
  pytorch: 'PyTorch',
  keras: 'Keras',
};

/** "PyTorch, channels-last" */
export function titleOf({ program, name }: Row): string {
  return `${PROGRAM_NAMES[program]}, ${name}`;
}

/** "PyTorch, channels-last, cpu, fp32": no two rows have the same. */
export function labelOf(row: Row): string {
  return `${titleOf(row)}, ${row.device}, ${row.precision}`;
}
