import { serveParent } from '../data/child-job.js';
import { Faces, faceBytes } from '../data/index.js';
import type { EngineName } from '../engine/engine.js';
import { loadEngine } from '../engine/load-engine.js';
import { FaceJudge } from './face-networks.js';
import { findFacePackage } from './face-package.js';
import { DESCRIPTOR_LENGTH, type Judgement } from './face-analysis.js';

/** Faces of a pack. */
export interface PackPart {
  readonly pack: string;
  readonly indices: Uint32Array;
}

export interface JudgeRequest {
  readonly engine: EngineName;
  readonly parts: readonly PackPart[];
}

export interface JudgeProgress {
  readonly done: number;
}

/** Pictures at a time: bounds the memory. */
const BATCH = 32;

/** The child process of judgePacks(). */
serveParent<JudgeRequest>(async ({ engine, parts }, emit): Promise<Judgement[]> => {
  await loadEngine(engine);
  const judge = await FaceJudge.load(findFacePackage());
  let done = 0;
  const judgements: Judgement[] = [];
  for (const part of parts)
    judgements.push(
      await judgePart(judge, part, (count) => {
        emit({ done: (done += count) } satisfies JudgeProgress);
      }),
    );
  return judgements;
});

async function judgePart(
  judge: FaceJudge,
  { pack, indices }: PackPart,
  onDone: (count: number) => void,
): Promise<Judgement> {
  const faces = Faces.open(pack);
  try {
    const found = new Uint8Array(indices.length);
    const descriptors = new Float32Array(indices.length * DESCRIPTOR_LENGTH);
    for (let first = 0; first < indices.length; first += BATCH) {
      const batch = indices.subarray(first, first + BATCH);
      const pictures = new Uint8Array(batch.length * faceBytes(faces.size));
      faces.read(batch, pictures);
      const judged = await judge.judge(pictures, faces.size);
      found.set(judged.found, first);
      descriptors.set(judged.descriptors, first * DESCRIPTOR_LENGTH);
      onDone(batch.length);
    }
    return { found, descriptors };
  } finally {
    faces.close();
  }
}
