import { open, type FileHandle } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '../../common/errors.js';
import type { TrainingOptions } from '../../model/training-options.js';
import type { StateSource } from '../../model/state-source.js';
import { shown } from '../../common/display-path.js';
import { checkpointSlots } from './checkpoint-slots.js';
import { digestIn, FileDigest } from './digest.js';
import {
  CHECKPOINT_FORMAT,
  decodeHeader,
  headerLength,
  type Metadata,
  type SafetensorsHeader,
} from '../../formats/safetensors.js';

/** Facts in a checkpoint besides its tensors. Noise and order of images follow from seed and step. */
export interface CheckpointFacts {
  /** The last step that is in it. */
  readonly step: number;
  readonly epoch: number;
  readonly engine: string;
  readonly datasetFingerprint: string;
}

/** A file that is no whole checkpoint of the run. `how` follows its name: "is damaged (...)". */
export class BrokenCheckpoint extends UserError {
  constructor(path: string, how: string) {
    super(`${shown(path)} ${how}`);
  }
}

/** A file is read in parts of so many bytes: what is checked need not fit into memory. */
const PART_BYTES = 1024 * 1024;

/** A checkpoint that was checked byte by byte and fits the run. Close it when its state is no longer needed. */
export class Checkpoint implements StateSource {
  private constructor(
    readonly path: string,
    readonly facts: CheckpointFacts,
    /** SHA-256 of the state's bytes alone, in hexadecimal. */
    readonly digest: string,
    private readonly file: FileHandle,
    private readonly header: SafetensorsHeader,
  ) {}

  /** Reads all of the file once. Throws BrokenCheckpoint if it differs from what was written, or belongs to another network. */
  static async open(path: string, training: TrainingOptions): Promise<Checkpoint> {
    const file = await openFile(path);
    try {
      const { header, digest } = await readWhole(path, file);
      const { format = 'unknown' } = header.metadata;
      if (format !== CHECKPOINT_FORMAT)
        throw new BrokenCheckpoint(
          path,
          `has the format ${format}, expected ${CHECKPOINT_FORMAT}; resume the run with the version that wrote it, ` +
            'or export its weights with that version and start a run with --init',
        );
      const facts = factsOf(header.metadata);
      if (!facts || JSON.stringify(header.tensors) !== JSON.stringify(checkpointSlots(training)))
        throw new BrokenCheckpoint(path, "is of another network than the run's");
      return new Checkpoint(path, facts, digest, file, header);
    } catch (error) {
      await file.close();
      throw codeOf(error) === undefined ? error : unreadable(path, error);
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await this.file.read(bytes, 0, length, this.header.start + offset);
    if (bytesRead !== length) throw new Error(`${this.path} was cut off while it was read`);
    return bytes;
  }

  get bytes(): number {
    return this.header.bytes;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** Undefined if they are not those of a checkpoint of ours. */
function factsOf(metadata: Metadata): CheckpointFacts | undefined {
  const { step, epoch, engine = '', dataset = '' } = metadata;
  const facts = {
    ...{ step: Number(step), epoch: Number(epoch), engine, datasetFingerprint: dataset },
  };
  return Number.isSafeInteger(facts.step) && Number.isSafeInteger(facts.epoch) ? facts : undefined;
}

/** Reads a file to its end. Returns its header, and the digest of its tensors. */
async function readWhole(
  path: string,
  file: FileHandle,
): Promise<{ header: SafetensorsHeader; digest: string }> {
  const { size } = await file.stat();
  const bytes = await readHeader(file, size);
  const header = bytes && decoded(bytes);
  if (!bytes || !header) throw new BrokenCheckpoint(path, 'is damaged (it has no readable header)');
  if (header.start + header.bytes !== size)
    throw new BrokenCheckpoint(path, `is damaged (it has ${size} bytes, not ${header.start + header.bytes})`);
  const expected = digestIn(bytes);
  if (expected === undefined) throw new BrokenCheckpoint(path, 'cannot be checked (it has no checksum)');
  const actual = new FileDigest(bytes);
  for await (const part of partsOf(file, header.start, size)) actual.add(part);
  const { file: whole, state } = actual.end();
  if (whole !== expected) throw new BrokenCheckpoint(path, 'is damaged (its checksum does not match)');
  return { header, digest: state };
}

/** The length and the JSON; undefined where the file is too short for them. */
async function readHeader(file: FileHandle, size: number): Promise<Buffer | undefined> {
  const first = Buffer.alloc(8);
  await file.read(first, 0, 8, 0);
  const length = headerLength(first);
  if (length === undefined || 8 + length > size) return undefined;
  const bytes = Buffer.alloc(8 + length);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytesRead === bytes.length ? bytes : undefined;
}

function decoded(header: Buffer): SafetensorsHeader | undefined {
  try {
    return decodeHeader(header.subarray(8));
  } catch {
    return undefined;
  }
}

/** The bytes from `start` to `end`, through one buffer; fewer where the file ends before. */
async function* partsOf(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PART_BYTES);
  for (let at = start; at < end;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(PART_BYTES, end - at), at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): BrokenCheckpoint {
  return new BrokenCheckpoint(path, `cannot be read (${messageOf(error)})`);
}
