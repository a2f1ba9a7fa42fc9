import type { EngineChoice } from '../engine/engine.js';
import type { ImageSize } from '../model/architecture.js';

/** Options of `coordinator evaluate`, with defaults. */
export interface EvaluateArguments {
  readonly data?: string;
  readonly count: number;
  readonly seed: number;
  readonly step?: number;
  readonly imageSize?: ImageSize;
  readonly engine: EngineChoice;
  readonly json?: true;
}
