import { serveParent } from '../data/child-job.js';
import { Faces, faceBytes } from '../data/index.js';
import type { EngineName } from '../engine/engine.js';
import { loadEngine } from '../engine/load-engine.js';
import { FaceAnalyser } from './face-networks.js';
import { findFacePackage } from './face-package.js';
import { DESCRIPTOR_LENGTH, type FaceAnalysis } from './face-analysis.js';

/** Faces of a pack. */
export interface PackPart {
  readonly pack: string;
  readonly indices: Uint32Array;
}

export interface AnalysisRequest {
  readonly engine: EngineName;
  readonly parts: readonly PackPart[];
}

export interface AnalysisProgress {
  readonly done: number;
}

/** Pictures at a time: bounds the memory. */
const BATCH = 32;

/** The child process of analyseFaces(). */
serveParent<AnalysisRequest>(async ({ engine, parts }, emit): Promise<FaceAnalysis[]> => {
  await loadEngine(engine);
  const analyser = await FaceAnalyser.load(findFacePackage());
  let done = 0;
  const analyses: FaceAnalysis[] = [];
  for (const part of parts)
    analyses.push(
      await analysePart(analyser, part, (count) => {
        emit({ done: (done += count) } satisfies AnalysisProgress);
      }),
    );
  return analyses;
});

async function analysePart(
  analyser: FaceAnalyser,
  { pack, indices }: PackPart,
  onDone: (count: number) => void,
): Promise<FaceAnalysis> {
  const faces = Faces.open(pack);
  try {
    const found = new Uint8Array(indices.length);
    const descriptors = new Float32Array(indices.length * DESCRIPTOR_LENGTH);
    for (let first = 0; first < indices.length; first += BATCH) {
      const batch = indices.subarray(first, first + BATCH);
      const pictures = new Uint8Array(batch.length * faceBytes(faces.size));
      faces.read(batch, pictures);
      const analysed = await analyser.analyse(pictures, faces.size);
      found.set(analysed.found, first);
      descriptors.set(analysed.descriptors, first * DESCRIPTOR_LENGTH);
      onDone(batch.length);
    }
    return { found, descriptors };
  } finally {
    faces.close();
  }
}
