import * as tf from '@tensorflow/tfjs-core';

interface Inputs {
  readonly x: tf.Tensor4D;
  readonly dy: tf.Tensor4D;
}

/**
 * Conv2DBackpropFilter, which the WebAssembly backend lacks: one matrix product for each place in the filter, of the
 * input pixels that place sees and the output's gradient. NHWC, no dilation.
 */
export function registerConvolutionFilterGradient(backendName: string): void {
  tf.registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName,
    kernelFunc: ({ inputs, attrs }) =>
      filterGradient(inputs as unknown as Inputs, attrs as unknown as tf.Conv2DBackpropFilterAttrs),
  });
}

function filterGradient({ x, dy }: Inputs, attributes: tf.Conv2DBackpropFilterAttrs): tf.Tensor4D {
  const { strides, pad, dimRoundingMode, filterShape, dataFormat } = attributes;
  if (dataFormat !== 'NHWC')
    throw new Error(`the filter's gradient is composed for NHWC only, not ${dataFormat}`);
  const shapes = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode);
  const { padInfo, strideHeight, strideWidth, filterHeight, filterWidth } = shapes;
  const { batchSize, outHeight, outWidth, inChannels, outChannels } = shapes;
  const positions = batchSize * outHeight * outWidth;

  return tf.tidy(() => {
    // Padded so that height and width are multiples of the strides, then split into the phases of the stride:
    // [rowPhase, columnPhase, input, batch, height / stride, width / stride]. Each place in the filter then sees a
    // plain slice, where a strided one is slow in this backend, and matMul needs no transposition, slow as well.
    const height = roundUp(shapes.inHeight + padInfo.top + padInfo.bottom, strideHeight);
    const width = roundUp(shapes.inWidth + padInfo.left + padInfo.right, strideWidth);
    const padded = tf.pad(x, [
      [0, 0],
      [padInfo.top, height - shapes.inHeight - padInfo.top],
      [padInfo.left, width - shapes.inWidth - padInfo.left],
      [0, 0],
    ]);
    const [rows, columns] = [height / strideHeight, width / strideWidth];
    const split = tf.reshape(padded, [batchSize, rows, strideHeight, columns, strideWidth, inChannels]);
    const byPhase = tf.transpose(split, [2, 4, 5, 0, 1, 3]);
    const gradient = tf.reshape(dy, [positions, outChannels]);

    const places: tf.Tensor[] = [];
    for (let row = 0; row < filterHeight; row++)
      for (let column = 0; column < filterWidth; column++) {
        const phase = tf.reshape(tf.slice(byPhase, [row % strideHeight, column % strideWidth], [1, 1]), [
          inChannels,
          batchSize,
          rows,
          columns,
        ]);
        const from = [0, 0, Math.floor(row / strideHeight), Math.floor(column / strideWidth)];
        const seen = tf.slice(phase, from, [inChannels, batchSize, outHeight, outWidth]);
        places.push(tf.matMul(tf.reshape<tf.Rank.R2>(seen, [inChannels, positions]), gradient));
      }
    return tf.reshape(tf.stack(places), [filterHeight, filterWidth, inChannels, outChannels]);
  });
}

function roundUp(length: number, multiple: number): number {
  return Math.ceil(length / multiple) * multiple;
}
