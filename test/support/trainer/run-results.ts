import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A line of stats.jsonl. */
export type Stats = Readonly<Record<string, number>>;

export async function readStats(run: string): Promise<Stats[]> {
  const lines = (await readFile(join(run, 'stats.jsonl'), 'utf8')).split('\n');
  if (lines.pop() !== '') throw new Error('the last line is not whole');
  return lines.map((line) => JSON.parse(line) as Stats);
}

const COMPUTED = [
  'step',
  'discriminatorLoss',
  'generatorLoss',
  'realScore',
  'fakeScoreBefore',
  'fakeScoreAfter',
];

/** Of each step what was computed, without what was measured. */
export async function readNumbers(run: string): Promise<Stats[]> {
  const stats = await readStats(run);
  return stats.map((line) => Object.fromEntries(COMPUTED.map((name) => [name, line[name]])));
}

/** How many steps a run has logged so far; 0 where it has not begun. */
export async function stepsDone(run: string): Promise<number> {
  return (await readStats(run).catch(() => [])).length;
}

/** Fails unless two runs have the same numbers in every step, and the same bytes in their last checkpoint. */
export async function expectSameRun(run: string, other: string, story = run): Promise<void> {
  assert.deepEqual(await readNumbers(run), await readNumbers(other), story);
  assert.ok((await lastState(run)).equals(await lastState(other)), story);
}

export interface SavedTensors {
  readonly metadata: Readonly<Record<string, string>>;
  /** Shape and bytes of each tensor, by name. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
  /** All bytes after the header. */
  readonly bytes: Buffer;
}

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** Reads a safetensors file by the format's description, and refuses gaps and overlaps as its own library does. */
export async function readTensors(path: string): Promise<SavedTensors> {
  const file = await readFile(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, unknown>;
  const { __metadata__: metadata, ...entries } = header;
  const bytes = file.subarray(start);
  let end = 0;
  const tensors = new Map(
    Object.entries(entries as Record<string, Entry>).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const size = shape.reduce((product, side) => product * side, 4);
        if (dtype !== 'F32' || from !== end || to - from !== size) throw new Error(`${name} is misplaced`);
        end = to;
        return [name, { shape, values: new Float32Array(new Uint8Array(bytes.subarray(from, to)).buffer) }];
      },
    ),
  );
  if (end !== bytes.length) throw new Error(`the tensors end at ${end} of ${bytes.length} bytes`);
  return { metadata: metadata as Record<string, string>, tensors, bytes };
}

/** The bytes of all tensors in a run's newest checkpoint. */
export async function lastState(run: string): Promise<Buffer> {
  return (await lastCheckpoint(run)).bytes;
}

async function lastCheckpoint(run: string): Promise<SavedTensors> {
  const names = (await readdir(join(run, 'checkpoints'))).sort();
  return readTensors(join(run, 'checkpoints', names[names.length - 1]));
}
