import type { Network } from '../../src/model/architecture.js';
import type { NetworkLayout, Slot } from '../../src/model/layout.js';
import type { FixtureTensor } from './safetensors.js';

type Tensors = ReadonlyMap<string, FixtureTensor>;

/** A network's parameters, or its statistics, as one flat vector of this program, from PyTorch's tensors. */
export function fromPyTorch(
  tensors: Tensors,
  prefix: string,
  network: Network,
  slots: NetworkLayout['parameters'] | NetworkLayout['statistics'],
): Float32Array {
  return Float32Array.from(
    slots.flatMap((slot) => {
      const name = `${prefix}.${pyTorchKey(network, slot.name)}`;
      const tensor = tensors.get(name);
      if (!tensor) throw new Error(`the fixture has no ${name}`);
      if (tensor.values.length !== slot.size) throw new Error(`${name} does not fit ${slot.name}`);
      return [...withOurAxes(tensor, network, slot)];
    }),
  );
}

/** [batch, channels, height, width] -> [batch, height, width, channels], flat */
export function channelsLast(images: FixtureTensor): Float32Array {
  return transpose(images, [0, 2, 3, 1]);
}

function withOurAxes(tensor: FixtureTensor, network: Network, slot: Slot): Float32Array {
  if (!slot.name.endsWith('.kernel')) return tensor.values;
  // [latent, channels, height, width] -> [latent, height * width * channels]
  if (network === 'generator' && slot.name === 'layer0.kernel') return transpose(tensor, [0, 2, 3, 1]);
  // Conv2d's [output, input, h, w] -> [h, w, input, output], ConvTranspose2d's [input, output, h, w] ->
  // [h, w, output, input]
  return transpose(tensor, [2, 3, 1, 0]);
}

/** The key in PyTorch's state_dict. Each layer is convolution, batch norm, activation, but D's first has no norm. */
function pyTorchKey(network: Network, slotName: string): string {
  const [layer, part] = slotName.replace('layer', '').split('.');
  const convolution = Math.max(3 * Number(layer) - (network === 'discriminator' ? 1 : 0), 0);
  const keys: Record<string, string | undefined> = {
    kernel: `main.${convolution}.weight`,
    gamma: `main.${convolution + 1}.weight`,
    beta: `main.${convolution + 1}.bias`,
    mean: `main.${convolution + 1}.running_mean`,
    variance: `main.${convolution + 1}.running_var`,
  };
  const key = keys[part];
  if (key === undefined) throw new Error(`no tensor of PyTorch is called ${slotName}`);
  return key;
}

/** Reorders the axes of a tensor of four; axis i of the result is axis `order[i]` of the tensor. */
function transpose(
  { shape, values }: FixtureTensor,
  order: readonly [number, number, number, number],
): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
  const [a, b, c, d] = order.map((axis) => ({
    side: shape[axis],
    stride: strides[axis],
  })) as [Axis, Axis, Axis, Axis];
  const result = new Float32Array(values.length);
  let next = 0;
  for (let i = 0; i < a.side; i++)
    for (let j = 0; j < b.side; j++)
      for (let k = 0; k < c.side; k++)
        for (let l = 0; l < d.side; l++)
          result[next++] = values[i * a.stride + j * b.stride + k * c.stride + l * d.stride];
  return result;
}

interface Axis {
  readonly side: number;
  readonly stride: number;
}
