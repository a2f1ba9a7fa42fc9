import { runChild } from '../data/child-job.js';
import type { EngineName } from '../engine/engine.js';
import { engineEnvironment } from '../engine/environment.js';
import type { AnalysisProgress, AnalysisRequest, PackPart } from './analysis-process.js';
import type { FaceAnalysis } from './face-analysis.js';

export interface AnalysisOptions {
  readonly engine: EngineName;
  readonly threads: number;
  readonly parts: readonly PackPart[];
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Has the face networks look at pictures, in a process of their own: this one loads no TensorFlow. One for each part. */
export async function analyseFaces(options: AnalysisOptions): Promise<FaceAnalysis[]> {
  const { engine, threads, parts, onProgress, signal } = options;
  const total = parts.reduce((sum, { indices }) => sum + indices.length, 0);
  return runChild<AnalysisRequest, AnalysisProgress, FaceAnalysis[]>({
    name: 'that looks for faces',
    entry: new URL('analysis-process.js', import.meta.url),
    request: { engine, parts },
    environment: engineEnvironment({ threads }),
    signal,
    onEvent: ({ done }) => onProgress?.(done, total),
  });
}
