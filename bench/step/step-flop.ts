import {
  discriminatorLayers,
  generatorLayers,
  KERNEL_SIZE,
  SMALLEST_MAP,
  type Layer,
  type ModelOptions,
} from '../../src/model/architecture.js';

/**
 * Floating-point operations that one image costs in a step, a multiplication and an addition being two: those of the
 * convolutions alone, which are nearly all. Each is needed once, and none more than the losses ask for.
 */
export function stepFlop(options: ModelOptions): number {
  const discriminator = discriminatorLayers(options).map(multiplications);
  // From the noise to the image the maps' sides are those of the discriminator, backwards.
  const generator = generatorLayers(options).map((layer, index, all) =>
    multiplications(layer, all.length - 1 - index, all),
  );
  const discriminatorForward = sum(discriminator);
  const generatorForward = sum(generator);
  const counts = [
    generatorForward,
    // On real images, on generated ones, and on these again after the update.
    3 * discriminatorForward,
    // Its gradients on real and on generated images: of every filter, and of every input but the images.
    2 * (2 * discriminatorForward - discriminator[0]),
    // Back through it to the images: of every input.
    discriminatorForward,
    // The generator's gradients: of every filter, and of every input but the noise.
    2 * generatorForward - generator[0],
  ];
  return 2 * sum(counts);
}

/** Of a layer for one image; `index` counts from the image. A convolution costs its smaller map times its kernel. */
function multiplications({ inputChannels, outputChannels }: Layer, index: number, all: Layer[]): number {
  const side = index === all.length - 1 ? 1 : SMALLEST_MAP * 2 ** (all.length - 2 - index);
  return side ** 2 * KERNEL_SIZE ** 2 * inputChannels * outputChannels;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
