import {
  discriminatorLayers,
  generatorLayers,
  KERNEL_SIZE,
  SMALLEST_MAP,
  type Layer,
  type ModelOptions,
  type Network,
} from './architecture.js';
import type { Regularization } from './regularization.js';

/** A tensor's place in a flat float32 vector. */
export interface Slot {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element, and number of elements. */
  readonly offset: number;
  readonly size: number;
}

/** N(mean, deviation), from which a parameter starts. */
export interface InitialDistribution {
  readonly mean: number;
  readonly deviation: number;
}

export interface ParameterSlot extends Slot {
  readonly initial: InitialDistribution;
}

/**
 * Layout of a network's tensors in its flat vectors. Gradients and both Adam moments have the parameters' layout, so
 * that a network is averaged, updated, sent and saved as one vector.
 */
export interface NetworkLayout {
  readonly layers: readonly Layer[];
  readonly parameters: readonly ParameterSlot[];
  readonly parameterCount: number;
  /** Mean and variance of each batch-norm layer, in the order of the layers. */
  readonly statistics: readonly Slot[];
  readonly statisticCount: number;
}

/** "weights_init" of the tutorial: kernels from N(0, 0.02), batch-norm gamma from N(1, 0.02), beta 0. */
const KERNEL: InitialDistribution = { mean: 0, deviation: 0.02 };
const GAMMA: InitialDistribution = { mean: 1, deviation: 0.02 };
const BETA: InitialDistribution = { mean: 0, deviation: 0 };

export interface ModelLayout extends Readonly<Record<Network, NetworkLayout>> {
  /** True if there is a moving average of the generator. */
  readonly hasAverage: boolean;
}

export function modelLayout(options: ModelOptions & Pick<Regularization, 'ema'>): ModelLayout {
  return {
    hasAverage: options.ema !== undefined,
    generator: networkLayout(generatorLayers(options), generatorKernel),
    discriminator: networkLayout(discriminatorLayers(options), discriminatorKernel),
  };
}

/** The projection is a matrix product: [latent, 4 * 4 * channels]. The others: [height, width, output, input]. */
function generatorKernel({ inputChannels, outputChannels }: Layer, index: number): number[] {
  if (index === 0) return [inputChannels, SMALLEST_MAP * SMALLEST_MAP * outputChannels];
  return [KERNEL_SIZE, KERNEL_SIZE, outputChannels, inputChannels];
}

/** [height, width, input, output] */
function discriminatorKernel({ inputChannels, outputChannels }: Layer): number[] {
  return [KERNEL_SIZE, KERNEL_SIZE, inputChannels, outputChannels];
}

function networkLayout(
  layers: readonly Layer[],
  kernelShape: (layer: Layer, index: number) => number[],
): NetworkLayout {
  const parameters: ParameterSlot[] = [];
  const statistics: Slot[] = [];
  layers.forEach((layer, index) => {
    parameters.push({
      ...nextSlot(parameters, `layer${index}.kernel`, kernelShape(layer, index)),
      initial: KERNEL,
    });
    if (!layer.batchNorm) return;
    const shape = [layer.outputChannels];
    parameters.push({ ...nextSlot(parameters, `layer${index}.gamma`, shape), initial: GAMMA });
    parameters.push({ ...nextSlot(parameters, `layer${index}.beta`, shape), initial: BETA });
    statistics.push(nextSlot(statistics, `layer${index}.mean`, shape));
    statistics.push(nextSlot(statistics, `layer${index}.variance`, shape));
  });
  return {
    layers,
    parameters,
    parameterCount: lengthOf(parameters),
    statistics,
    statisticCount: lengthOf(statistics),
  };
}

function nextSlot(before: readonly Slot[], name: string, shape: readonly number[]): Slot {
  return { name, shape, offset: lengthOf(before), size: shape.reduce((product, side) => product * side, 1) };
}

function lengthOf(slots: readonly Slot[]): number {
  const last = slots.at(-1);
  return last ? last.offset + last.size : 0;
}
