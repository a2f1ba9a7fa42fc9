import { SMALLEST_MAP, KERNEL_SIZE } from '../model/architecture.js';
import type { NetworkLayout } from '../model/layout.js';
import { convolutionName, normName } from './tfjs-tensors.js';

/** PyTorch's, and so the training's. Keras has another default. */
const EPSILON = 1e-5;

interface KerasLayer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The generator as a Keras Sequential: noise [batch, latent] -> images [batch, size, size, 3] in [-1, 1]. */
export function tfjsTopology({ layers }: NetworkLayout): object {
  const [projection, ...upsampling] = layers;
  const map = [SMALLEST_MAP, SMALLEST_MAP, projection.outputChannels];
  const sequence: KerasLayer[] = [
    layer('Dense', convolutionName(0), {
      batch_input_shape: [null, projection.inputChannels],
      dtype: 'float32',
      units: map.reduce((product, side) => product * side),
      use_bias: false,
      activation: 'linear',
    }),
    // [batch, 4 * 4 * channels] -> [batch, 4, 4, channels]
    layer('Reshape', 'map', { target_shape: map }),
    ...afterConvolution(projection.batchNorm, 0),
  ];
  upsampling.forEach(({ outputChannels, batchNorm }, stage) => {
    sequence.push(
      // [batch, side, side, input] -> [batch, 2 * side, 2 * side, output]
      layer('Conv2DTranspose', convolutionName(stage + 1), {
        filters: outputChannels,
        kernel_size: [KERNEL_SIZE, KERNEL_SIZE],
        strides: [2, 2],
        padding: 'same',
        data_format: 'channels_last',
        use_bias: false,
        activation: 'linear',
      }),
      ...afterConvolution(batchNorm, stage + 1),
    );
  });
  return {
    class_name: 'Sequential',
    config: { name: 'generator', layers: sequence },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
}

function afterConvolution(batchNorm: boolean, index: number): KerasLayer[] {
  const activation = (name: string): KerasLayer =>
    layer('Activation', `${convolutionName(index)}_${name}`, { activation: name });
  if (!batchNorm) return [activation('tanh')];
  return [layer('BatchNormalization', normName(index), { axis: -1, epsilon: EPSILON }), activation('relu')];
}

function layer(className: string, name: string, config: Readonly<Record<string, unknown>>): KerasLayer {
  return { class_name: className, config: { name, trainable: true, ...config } };
}
