import { PROJECT_VERSION } from '../common/process/version.js';
import type { ModelOptions } from '../model/architecture.js';

/** The file beside exported weights that says of which networks they are. */
export const CONFIG_FILE = 'config.json';

export const EXPORT_FORMATS = ['pytorch', 'tfjs'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface WeightsConfig extends ModelOptions {
  readonly program: string;
  readonly format: ExportFormat;
  /** The last step that is in them. */
  readonly step: number;
  readonly epoch: number;
}

export function weightsConfig(
  format: ExportFormat,
  model: ModelOptions,
  { step, epoch }: { readonly step: number; readonly epoch: number },
): WeightsConfig {
  const { architecture, imageSize, latentSize, generatorFeatures, discriminatorFeatures } = model;
  return {
    program: `dcgan-trainer ${PROJECT_VERSION}`,
    ...{ format, architecture, imageSize, latentSize, generatorFeatures, discriminatorFeatures, step, epoch },
  };
}
