import type { FileHandle } from 'node:fs/promises';
import { writeFileAtomically } from '../../common/files/atomic-file.js';
import type { TrainingOptions } from '../../model/training-options.js';
import type { StateCopy } from '../../model/state-source.js';
import type { CheckpointFacts } from './checkpoint.js';
import { checkpointSlots } from './checkpoint-slots.js';
import { DIGEST_FIELD, FileDigest, NO_DIGEST, withDigest } from './digest.js';
import { CHECKPOINT_FORMAT, encodeHeader } from '../../formats/safetensors.js';

/**
 * Writes a copy of the state to `path` atomically. The digest is known at the end, so the header is written twice.
 * The signal cancels the reading of the copy.
 */
export async function writeCheckpoint(
  path: string,
  copy: StateCopy,
  training: TrainingOptions,
  facts: CheckpointFacts,
  signal?: AbortSignal,
): Promise<void> {
  const header = encodeHeader(checkpointSlots(training), {
    format: CHECKPOINT_FORMAT,
    [DIGEST_FIELD]: NO_DIGEST,
    step: String(facts.step),
    epoch: String(facts.epoch),
    engine: facts.engine,
    dataset: facts.datasetFingerprint,
    options: JSON.stringify(training),
  });
  await writeFileAtomically(path, async (file) => {
    const digest = new FileDigest(header);
    const read = copy.read(async (bytes, offset) => {
      signal?.throwIfAborted();
      digest.add(bytes);
      await writeAll(file, bytes, header.length + offset);
    });
    await unlessAborted(read, signal);
    await writeAll(file, withDigest(header, digest.end().file), 0);
  });
}

/** Rejects when the signal aborts, even if the work never ends: the worker that has the copy may not answer. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
