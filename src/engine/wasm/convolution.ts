import { tf } from '../tensorflow.js';
import { Columns } from './columns.js';
import { packedBytes, rowMajor, transposed } from './matrix-product.js';
import { override, register, type Inputs } from './register.js';
import type { Toolbox } from './toolbox.js';

/** Conv2D and its two gradients. The gradient for the input is conv2dTranspose as well. */
export function registerConvolution(toolbox: Toolbox): void {
  override('Conv2D', covers, ({ x, filter }: Inputs<'x' | 'filter'>, attributes: tf.Conv2DAttrs) =>
    convolve(toolbox, x, filter, columnsOf(toolbox, x.shape, filter.shape, attributes)),
  );
  override(
    'Conv2DBackpropInput',
    covers,
    ({ dy, filter }: Inputs<'dy' | 'filter'>, attributes: tf.Conv2DBackpropInputAttrs) =>
      inputGradient(toolbox, dy, filter, columnsOf(toolbox, attributes.inputShape, filter.shape, attributes)),
  );
  register(
    'Conv2DBackpropFilter',
    ({ x, dy }: Inputs<'x' | 'dy'>, attributes: tf.Conv2DBackpropFilterAttrs) => {
      if (!covers({}, attributes))
        throw new Error(`the filter's gradient is computed for NHWC only, not ${attributes.dataFormat}`);
      return filterGradient(toolbox, x, dy, columnsOf(toolbox, x.shape, attributes.filterShape, attributes));
    },
  );
}

type Attributes = Pick<tf.Conv2DAttrs, 'strides' | 'pad' | 'dimRoundingMode' | 'dataFormat'> &
  Partial<Pick<tf.Conv2DAttrs, 'dilations'>>;

function covers(_inputs: unknown, { dataFormat, dilations }: Attributes): boolean {
  return dataFormat === 'NHWC' && [dilations ?? 1].flat().every((dilation) => dilation === 1);
}

function columnsOf(
  { kernels }: Toolbox,
  images: readonly number[],
  filter: readonly number[],
  { strides, pad, dimRoundingMode }: Attributes,
): Columns {
  type Shape = [number, number, number, number];
  return new Columns(
    kernels,
    tf.backend_util.computeConv2DInfo(images as Shape, filter as Shape, strides, 1, pad, dimRoundingMode),
  );
}

function convolve(
  { heap, product }: Toolbox,
  images: tf.TensorInfo,
  filter: tf.TensorInfo,
  columns: Columns,
): tf.TensorInfo {
  const { outShape, outChannels } = columns.shapes;
  const output = heap.output(outShape);
  const packed = packedBytes(columns.depth, outChannels);
  heap.borrow([columns.bytes, packed], ([seen, room]) => {
    const right = product.pack(rowMajor(heap.address(filter), outChannels), columns.depth, outChannels, room);
    const [from, to] = [rowMajor(heap.address(images), 1), rowMajor(heap.address(output), outChannels)];
    columns.forEachGroup((group) => {
      columns.gather(from.address, seen, group);
      const target = { ...to, address: to.address + group.firstPlace * to.rowStride };
      product.multiply(columns.matrix(seen), right, target, group.places);
    });
  });
  return output;
}

function inputGradient(
  { heap, product }: Toolbox,
  outputGradient: tf.TensorInfo,
  filter: tf.TensorInfo,
  columns: Columns,
): tf.TensorInfo {
  const { inShape, outChannels } = columns.shapes;
  const gradient = heap.output(inShape);
  const packed = packedBytes(outChannels, columns.depth);
  heap.borrow([columns.bytes, packed], ([seen, room]) => {
    const filters = transposed(rowMajor(heap.address(filter), outChannels));
    const right = product.pack(filters, outChannels, columns.depth, room);
    const from = rowMajor(heap.address(outputGradient), outChannels);
    const to = heap.address(gradient);
    heap.floats(to, tf.util.sizeFromShape(inShape)).fill(0);
    columns.forEachGroup((group) => {
      const left = { ...from, address: from.address + group.firstPlace * from.rowStride };
      product.multiply(left, right, columns.matrix(seen), group.places);
      columns.scatter(seen, to, group);
    });
  });
  return gradient;
}

function filterGradient(
  { heap, product }: Toolbox,
  images: tf.TensorInfo,
  outputGradient: tf.TensorInfo,
  columns: Columns,
): tf.TensorInfo {
  const { filterShape, outChannels, outWidth } = columns.shapes;
  const gradient = heap.output(filterShape);
  const packed = packedBytes(columns.groupRows * outWidth, outChannels);
  heap.borrow([columns.bytes, packed], ([seen, room]) => {
    const from = rowMajor(heap.address(outputGradient), outChannels);
    const to = rowMajor(heap.address(gradient), outChannels);
    columns.forEachGroup((group) => {
      columns.gather(heap.address(images), seen, group);
      const ofPlaces = { ...from, address: from.address + group.firstPlace * from.rowStride };
      const right = product.pack(ofPlaces, group.places, outChannels, room);
      const accumulate = group.firstPlace > 0;
      product.multiply(transposed(columns.matrix(seen)), right, to, columns.depth, accumulate);
    });
  });
  return gradient;
}
