import {
  discriminatorLayers,
  generatorLayers,
  IMAGE_CHANNELS,
  KERNEL_SIZE,
  SMALLEST_MAP,
  type Layer,
  type ModelOptions,
} from './architecture.js';

/** One line of a network's summary. Shapes as PyTorch orders them: channels, height, width. */
export interface SummaryRow {
  readonly type: string;
  readonly output: readonly [channels: number, height: number, width: number];
  readonly parameters: number;
}

export interface NetworkSummary {
  readonly input: readonly [channels: number, height: number, width: number];
  readonly rows: readonly SummaryRow[];
}

/** The seed's `Generator` module by module, with PyTorch's names. */
export function summariseGenerator(options: ModelOptions): NetworkSummary {
  const rows = generatorLayers(options).flatMap((layer, index) => {
    const side = SMALLEST_MAP * 2 ** index;
    return layerRows('ConvTranspose2d', layer, side, layer.batchNorm ? 'ReLU' : 'Tanh');
  });
  return { input: [options.latentSize, 1, 1], rows };
}

/** The seed's `Discriminator`. Its sigmoid is a part of the loss here. */
export function summariseDiscriminator(options: ModelOptions): NetworkSummary {
  const layers = discriminatorLayers(options);
  const rows = layers.flatMap((layer, index) => {
    const isLast = index === layers.length - 1;
    const side = isLast ? 1 : options.imageSize / 2 ** (index + 1);
    return layerRows('Conv2d', layer, side, isLast ? 'Sigmoid' : 'LeakyReLU');
  });
  return { input: [IMAGE_CHANNELS, options.imageSize, options.imageSize], rows };
}

/** Convolutions have no bias: batch norm adds its own. */
function layerRows(
  convolution: string,
  { inputChannels, outputChannels, batchNorm }: Layer,
  side: number,
  activation: string,
): SummaryRow[] {
  const output = [outputChannels, side, side] as const;
  return [
    { type: convolution, output, parameters: inputChannels * outputChannels * KERNEL_SIZE ** 2 },
    ...(batchNorm ? [{ type: 'BatchNorm2d', output, parameters: 2 * outputChannels }] : []),
    { type: activation, output, parameters: 0 },
  ];
}

const BYTES_PER_MEBIBYTE = 1024 ** 2;
const FLOAT_BYTES = 4;
const RULE = 64;

/**
 * Summary as the Python package torchsummary prints it. Memory is that of one image: activations that the backward
 * pass needs.
 */
export function formatSummary({ input, rows }: NetworkSummary): string {
  const volume = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);
  const mebibytes = (numbers: number): number => (numbers * FLOAT_BYTES) / BYTES_PER_MEBIBYTE;
  const total = rows.reduce((sum, { parameters }) => sum + parameters, 0);
  const sizes = {
    'Input size': mebibytes(volume(input)),
    'Forward/backward pass size': mebibytes(2 * rows.reduce((sum, { output }) => sum + volume(output), 0)),
    'Params size': mebibytes(total),
  };
  const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const lines = [
    '-'.repeat(RULE),
    line('Layer (type)', 'Output Shape', 'Param #'),
    '='.repeat(RULE),
    ...rows.map(({ type, output, parameters }, index) =>
      line(`${type}-${index + 1}`, `[${[-1, ...output].join(', ')}]`, grouped(parameters)),
    ),
    '='.repeat(RULE),
    `Total params: ${grouped(total)}`,
    `Trainable params: ${grouped(total)}`,
    'Non-trainable params: 0',
    '-'.repeat(RULE),
    ...Object.entries(sizes).map(([name, size]) => `${name} (MB): ${size.toFixed(2)}`),
    `Estimated Total Size (MB): ${all.toFixed(2)}`,
    '-'.repeat(RULE),
  ];
  return `${lines.join('\n')}\n`;
}

function line(type: string, shape: string, parameters: string): string {
  return `${type.padStart(20)}  ${shape.padStart(25)} ${parameters.padStart(15)}`;
}

/** 1,234,567 */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
