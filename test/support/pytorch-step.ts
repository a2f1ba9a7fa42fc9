import type { AdamOptions } from '../../src/model/adam.js';
import { NETWORKS, type ModelOptions, type Network } from '../../src/model/architecture.js';
import { modelLayout, type ModelLayout } from '../../src/model/layout.js';
import { stateLayout } from '../../src/model/state.js';
import { readFixture, readNumbers } from './pytorch-fixtures.js';
import { channelsLast, fromPyTorch } from './pytorch-layout.js';
import type { FixtureTensor } from './safetensors.js';

/** What the tutorial prints at each step. */
export interface Printed {
  readonly errD: number;
  readonly errG: number;
  readonly D_x: number;
  readonly D_G_z1: number;
  readonly D_G_z2: number;
}

interface Configuration extends ModelOptions, AdamOptions, Printed {
  readonly batchSize: number;
  readonly shards: number;
}

/** One step of PyTorch's tutorial, in this program's layouts. */
export interface PyTorchStep {
  readonly model: ModelOptions;
  readonly optimizer: AdamOptions;
  readonly layout: ModelLayout;
  readonly shards: number;
  readonly before: Float32Array;
  readonly real: Float32Array;
  readonly noise: Float32Array;
  /** The generator's images before the step. At 128 pixels only their top left quarter of a side. */
  readonly fake: { readonly side: number; readonly pixels: Float32Array };
  readonly gradient: Readonly<Record<Network, Float32Array>>;
  readonly after: Readonly<Record<Network, { parameters: Float32Array; statistics: Float32Array }>>;
  readonly printed: Printed;
}

/** `from`: the step that starts from the same state with the same inputs, where `name` does not repeat them. */
export async function readStep(name: string, from = name): Promise<PyTorchStep> {
  const { learningRate, beta1, shards, ...rest } = (await readNumbers(`${name}.json`)) as Configuration;
  const { architecture, imageSize, latentSize, generatorFeatures, discriminatorFeatures, ...printed } = rest;
  const model = { architecture, imageSize, latentSize, generatorFeatures, discriminatorFeatures };
  const layout = modelLayout(model);
  const tensors = await readFixture(`${name}.safetensors`);
  const start = from === name ? tensors : await readFixture(`${from}.safetensors`);
  const fake = get(start, 'fake', 'fake.corner');
  const vector = (prefix: string, network: Network, part: 'parameters' | 'statistics'): Float32Array =>
    fromPyTorch(tensors, `${prefix}.${network}`, network, layout[network][part]);
  return {
    model,
    optimizer: { learningRate, beta1 },
    layout,
    shards,
    before: stateFrom(start, layout, (network) => network),
    real: realImages(start, imageSize),
    noise: get(start, 'noise').values,
    fake: { side: fake.shape[3], pixels: channelsLast(fake) },
    gradient: forEachNetwork((network) => vector('gradient', network, 'parameters')),
    after: forEachNetwork((network) => ({
      parameters: vector('after', network, 'parameters'),
      statistics: vector('after', network, 'statistics'),
    })),
    printed,
  };
}

/** A whole state with both Adams at zero. `prefix` gives the start of a network's tensor names in the fixture. */
export function stateFrom(
  tensors: ReadonlyMap<string, FixtureTensor>,
  layout: ModelLayout,
  prefix: (network: Network) => string,
): Float32Array {
  const { length, spans } = stateLayout(layout);
  const state = new Float32Array(length);
  for (const network of NETWORKS) {
    const { parameters, statistics } = layout[network];
    state.set(fromPyTorch(tensors, prefix(network), network, parameters), spans[network].parameters.start);
    state.set(
      fromPyTorch(tensors, prefix(network), network, statistics),
      spans[network].runningStatistics.start,
    );
  }
  return state;
}

/** The images as they went in: `real`, or `real.small` with each pixel repeated. */
function realImages(tensors: ReadonlyMap<string, FixtureTensor>, imageSize: number): Float32Array {
  const stored = get(tensors, 'real', 'real.small');
  const [batch, channels, side] = stored.shape as [number, number, number, number];
  const pixels = channelsLast(stored);
  const images = new Float32Array(batch * imageSize * imageSize * channels);
  const repeats = imageSize / side;
  for (let i = 0; i < images.length; i++) {
    const channel = i % channels;
    const column = Math.floor(i / channels) % imageSize;
    const row = Math.floor(i / channels / imageSize) % imageSize;
    const image = Math.floor(i / channels / imageSize / imageSize);
    const pixel = (image * side + Math.floor(row / repeats)) * side + Math.floor(column / repeats);
    images[i] = pixels[pixel * channels + channel];
  }
  return images;
}

function get(tensors: ReadonlyMap<string, FixtureTensor>, ...names: string[]): FixtureTensor {
  for (const name of names) {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
  }
  throw new Error(`the fixture has no ${names.join(' and no ')}`);
}

function forEachNetwork<Value>(make: (network: Network) => Value): Record<Network, Value> {
  return { discriminator: make('discriminator'), generator: make('generator') };
}
