import { tf } from '../tensorflow.js';
import { FLOAT_BYTES } from './heap.js';
import { override, type Inputs } from './register.js';
import type { Toolbox } from './toolbox.js';

/** SplitV of a flat vector. The backend's own copies the whole vector once for each part. */
export function registerSplit({ heap }: Toolbox): void {
  override(
    'SplitV',
    ({ x: { shape, dtype } }: Inputs<'x'>) => shape.length === 1 && dtype === 'float32',
    ({ x }: Inputs<'x'>, { numOrSizeSplits, axis }: tf.SplitVAttrs) => {
      let from = heap.address(x);
      return tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, axis).map((size) => {
        const part = heap.output([size]);
        heap.floats(heap.address(part), size).set(heap.floats(from, size));
        from += size * FLOAT_BYTES;
        return part;
      });
    },
  );
}
