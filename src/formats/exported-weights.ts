import type { ModelLayout } from '../model/layout.js';
import type { WeightsConfig } from './weights-config.js';

/** Exported weights of a model. One tensor is in memory at a time. */
export interface ExportedWeights {
  readonly config: WeightsConfig;
  readonly layout: ModelLayout;
  /** A tensor by its full name in a state. */
  readonly read: (slot: string) => Promise<Float32Array>;
}
