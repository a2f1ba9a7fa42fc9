import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../common/files/atomic-file.js';
import { DESCRIPTOR_LENGTH, type FaceAnalysis } from './face-analysis.js';

/** The analysis of real faces that a run keeps: it is the same at every step. */
interface SavedJudgement {
  /** Says of what it is. */
  readonly key: string;
  /** Both in base64. */
  readonly found: string;
  readonly descriptors: string;
  /** SHA-256 of the three before it. */
  readonly digest: string;
}

/** Undefined if there is none, or one of other faces. */
export async function readAnalysis(
  path: string,
  key: string,
  count: number,
): Promise<FaceAnalysis | undefined> {
  try {
    const saved = JSON.parse(await readFile(path, 'utf8')) as SavedJudgement;
    if (saved.key !== key || saved.digest !== digestOf(saved)) return undefined;
    const found = Uint8Array.from(Buffer.from(saved.found, 'base64'));
    const bytes = Uint8Array.from(Buffer.from(saved.descriptors, 'base64'));
    const descriptors = new Float32Array(bytes.buffer);
    const isWhole = found.length === count && descriptors.length === count * DESCRIPTOR_LENGTH;
    return isWhole ? { found, descriptors } : undefined;
  } catch {
    // It is made again.
    return undefined;
  }
}

export async function writeAnalysis(
  path: string,
  key: string,
  { found, descriptors }: FaceAnalysis,
): Promise<void> {
  const { buffer, byteOffset, byteLength } = descriptors;
  const parts = {
    key,
    found: Buffer.from(found).toString('base64'),
    descriptors: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  };
  const saved: SavedJudgement = { ...parts, digest: digestOf(parts) };
  await writeFileAtomically(path, JSON.stringify(saved));
}

function digestOf({ key, found, descriptors }: Omit<SavedJudgement, 'digest'>): string {
  return createHash('sha256')
    .update(JSON.stringify([key, found, descriptors]))
    .digest('hex');
}
