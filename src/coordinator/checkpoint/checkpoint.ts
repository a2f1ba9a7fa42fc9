import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../common/atomic-file.js';
import { codeOf, UserError } from '../../common/errors.js';
import { modelLayout } from '../../model/layout.js';
import { stateLayout } from '../../model/state.js';
import type { TrainingOptions } from '../../model/training-options.js';
import type { ComputeGroup, StateSource } from '../compute-group.js';
import type { RunFolder } from '../run/run-folder.js';
import {
  decodeHeader,
  encodeHeader,
  headerLength,
  type Metadata,
  type SafetensorsHeader,
} from './safetensors.js';

/** What a checkpoint says of itself, besides its tensors. Noise and order of images follow from seed and step. */
export interface CheckpointFacts {
  /** The last step that is in it. */
  readonly step: number;
  readonly epoch: number;
  readonly engine: string;
  readonly datasetFingerprint: string;
}

/** Writes both networks, both Adams and the running statistics as they are after `step`, whole or not at all. */
export async function writeCheckpoint(
  run: RunFolder,
  group: ComputeGroup,
  training: TrainingOptions,
  facts: CheckpointFacts,
): Promise<string> {
  const path = run.checkpointFile(facts.step);
  const header = encodeHeader(stateLayout(modelLayout(training)).slots, {
    format: 'dcgan-trainer 1',
    step: String(facts.step),
    epoch: String(facts.epoch),
    engine: facts.engine,
    dataset: facts.datasetFingerprint,
    options: JSON.stringify(training),
  });
  await writeFileAtomically(path, async (file) => {
    await writeAll(file, header, 0);
    await group.saveState((bytes, offset) => writeAll(file, bytes, header.length + offset));
  });
  return path;
}

/** Removes all but the newest `keep` checkpoints. */
export async function pruneCheckpoints(run: RunFolder, keep: number): Promise<void> {
  const files = await listCheckpoints(run);
  await Promise.all(
    files.slice(0, Math.max(0, files.length - keep)).map((path) => rm(path, { force: true })),
  );
}

/** A checkpoint that was read and fits the run. Close it when its state is no longer needed. */
export class Checkpoint implements StateSource {
  private constructor(
    readonly path: string,
    readonly facts: CheckpointFacts,
    private readonly file: FileHandle,
    private readonly header: SafetensorsHeader,
  ) {}

  /** The newest one of a run. */
  static async openNewest(run: RunFolder, training: TrainingOptions): Promise<Checkpoint> {
    const path = (await listCheckpoints(run)).at(-1);
    if (path === undefined) throw new UserError(`${run.path} has no checkpoint to go on from`);
    return Checkpoint.open(path, training);
  }

  static async open(path: string, training: TrainingOptions): Promise<Checkpoint> {
    const file = await open(path, 'r');
    try {
      const header = await readHeader(file);
      const expected = stateLayout(modelLayout(training)).slots;
      const facts = header && factsOf(header.metadata);
      if (!facts || JSON.stringify(header.tensors) !== JSON.stringify(expected))
        throw new UserError(
          `${path} is damaged or of another network: remove it to go on from the one before`,
        );
      return new Checkpoint(path, facts, file, header);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.header.bytes;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await this.file.read(bytes, 0, length, this.header.start + offset);
    if (bytesRead !== length) throw new Error(`${this.path} was cut off while it was read`);
    return bytes;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** Paths of a run's checkpoints, oldest first. */
export async function listCheckpoints(run: RunFolder): Promise<string[]> {
  try {
    const names = await readdir(run.checkpoints);
    const steps = names
      .map((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1])
      .filter((step) => step !== undefined);
    return steps
      .sort((one, other) => Number(one) - Number(other))
      .map((step) => join(run.checkpoints, `step-${step}.safetensors`));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined where they are not those of a checkpoint of ours. */
function factsOf({ step, epoch, engine = '', dataset = '' }: Metadata): CheckpointFacts | undefined {
  const facts = { step: Number(step), epoch: Number(epoch), engine, datasetFingerprint: dataset };
  return Number.isSafeInteger(facts.step) && Number.isSafeInteger(facts.epoch) ? facts : undefined;
}

/** Undefined where the file is not a whole safetensors file. */
async function readHeader(file: FileHandle): Promise<SafetensorsHeader | undefined> {
  const { size } = await file.stat();
  const first = Buffer.alloc(8);
  await file.read(first, 0, 8, 0);
  const length = headerLength(first);
  if (length === undefined || 8 + length > size) return undefined;
  const json = Buffer.alloc(length);
  await file.read(json, 0, length, 8);
  try {
    const header = decodeHeader(json);
    return header.start + header.bytes === size ? header : undefined;
  } catch {
    return undefined;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
