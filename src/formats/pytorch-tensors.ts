import { KERNEL_SIZE, SMALLEST_MAP, type Layer, type Network } from '../model/architecture.js';
import type { NetworkLayout } from '../model/layout.js';
import { reordered, type AxisOrder, type ForeignTensor } from './foreign-tensor.js';

/** Entries of a network in PyTorch's state_dict. */
export interface PyTorchTensors {
  readonly tensors: readonly ForeignTensor[];
  /** num_batches_tracked of each BatchNorm2d, an int64 that the tutorial's momentum makes no use of. */
  readonly counters: readonly string[];
}

/**
 * The tensors of the tutorial's nn.Sequential, which is called `main`: for each layer the convolution, its BatchNorm2d
 * where it has one, and the activation, numbered through.
 */
export function pyTorchTensors(network: Network, { layers }: NetworkLayout): PyTorchTensors {
  const tensors: ForeignTensor[] = [];
  const counters: string[] = [];
  let module = 0;
  layers.forEach((layer, index) => {
    const part = (name: 'parameters' | 'runningStatistics', tensor: string): string =>
      `${network}.${name}.layer${index}.${tensor}`;
    tensors.push(
      reordered(`main.${module++}.weight`, part('parameters', 'kernel'), axisOrder(network, layer, index)),
    );
    if (layer.batchNorm) {
      const norm = `main.${module++}`;
      const shape = [layer.outputChannels];
      tensors.push(
        { name: `${norm}.weight`, shape, slot: part('parameters', 'gamma') },
        { name: `${norm}.bias`, shape, slot: part('parameters', 'beta') },
        { name: `${norm}.running_mean`, shape, slot: part('runningStatistics', 'mean') },
        { name: `${norm}.running_var`, shape, slot: part('runningStatistics', 'variance') },
      );
      counters.push(`${norm}.num_batches_tracked`);
    }
    module++;
  });
  return { tensors, counters };
}

function axisOrder(network: Network, { inputChannels, outputChannels }: Layer, index: number): AxisOrder {
  // The projection, [latent, height * width * output] -> ConvTranspose2d [latent, output, height, width]
  if (network === 'generator' && index === 0)
    return { ours: [inputChannels, SMALLEST_MAP, SMALLEST_MAP, outputChannels], order: [0, 3, 1, 2] };
  // [height, width, output, input] -> ConvTranspose2d [input, output, height, width], and
  // [height, width, input, output] -> Conv2d [output, input, height, width]
  const channels =
    network === 'generator'
      ? ([outputChannels, inputChannels] as const)
      : ([inputChannels, outputChannels] as const);
  return { ours: [KERNEL_SIZE, KERNEL_SIZE, ...channels], order: [3, 2, 0, 1] };
}
