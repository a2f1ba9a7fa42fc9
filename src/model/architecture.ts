import { UserError } from '../common/errors.js';

/** `paper`: the tutorial text's generator (1024-512-256-128 channels at 64 px). `tutorial`: PyTorch's (512-256-128-64). */
export const ARCHITECTURES = ['paper', 'tutorial'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export const IMAGE_SIZES = [32, 64, 128] as const;
export type ImageSize = (typeof IMAGE_SIZES)[number];

export interface ModelOptions {
  readonly architecture: Architecture;
  /** Width and height of an image in pixels. */
  readonly imageSize: ImageSize;
  /** Length of a noise vector z. */
  readonly latentSize: number;
  /** Channels of the generator's last hidden feature map in `tutorial`; `paper` has twice as many. */
  readonly generatorFeatures: number;
  /** Channels of the discriminator's first feature map. */
  readonly discriminatorFeatures: number;
}

export const NETWORKS = ['discriminator', 'generator'] as const;
export type Network = (typeof NETWORKS)[number];

export const IMAGE_CHANNELS = 3;
/** Side of the feature map that noise is projected to, and that the discriminator's last convolution reads. */
export const SMALLEST_MAP = 4;
/** Side of every convolution kernel. */
export const KERNEL_SIZE = 4;

/** One convolution with what follows it. */
export interface Layer {
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly batchNorm: boolean;
}

/** Number of stride-2 convolutions between SMALLEST_MAP and the image. */
function stages(imageSize: number): number {
  return Math.log2(imageSize / SMALLEST_MAP);
}

/** Channels from the noise to the image: one projection, then one transposed convolution of stride 2 a stage. */
export function generatorLayers(options: ModelOptions): Layer[] {
  const widest =
    (options.architecture === 'paper' ? 2 : 1) *
    options.generatorFeatures *
    2 ** (stages(options.imageSize) - 1);
  const hidden = Array.from({ length: stages(options.imageSize) }, (_, stage) => widest / 2 ** stage);
  return chain([options.latentSize, ...hidden, IMAGE_CHANNELS], (layer, last) => layer < last);
}

/** Channels from the image to the logit: one convolution of stride 2 a stage, then one over the whole map. */
export function discriminatorLayers(options: ModelOptions): Layer[] {
  const hidden = Array.from(
    { length: stages(options.imageSize) },
    (_, stage) => options.discriminatorFeatures * 2 ** stage,
  );
  return chain([IMAGE_CHANNELS, ...hidden, 1], (layer, last) => layer > 0 && layer < last);
}

function chain(channels: number[], batchNorm: (layer: number, last: number) => boolean): Layer[] {
  const last = channels.length - 2;
  return channels.slice(1).map((outputChannels, layer) => ({
    inputChannels: channels[layer],
    outputChannels,
    batchNorm: batchNorm(layer, last),
  }));
}

/** Refuses what no network can be built from. */
export function checkModelOptions(options: ModelOptions): void {
  if (!ARCHITECTURES.includes(options.architecture))
    throw new UserError(`architecture ${options.architecture} is not one of ${ARCHITECTURES.join(', ')}`);
  if (!IMAGE_SIZES.includes(options.imageSize))
    throw new UserError(`image size ${options.imageSize} is not one of ${IMAGE_SIZES.join(', ')}`);
  for (const key of ['latentSize', 'generatorFeatures', 'discriminatorFeatures'] as const)
    if (!Number.isInteger(options[key]) || options[key] < 1)
      throw new UserError(`${key} must be a whole number of at least 1, not ${options[key]}`);
}
