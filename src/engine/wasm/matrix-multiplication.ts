import { tf } from '../tensorflow.js';
import { packedBytes, rowMajor, transposed } from './matrix-product.js';
import { override, type Inputs } from './register.js';
import type { Toolbox } from './toolbox.js';

type Operands = Inputs<'a' | 'b'>;

/** BatchMatMul of two plain matrices. */
export function registerMatrixMultiplication({ heap, product }: Toolbox): void {
  override(
    'BatchMatMul',
    ({ a, b }: Operands) => [a, b].every(isMatrix),
    ({ a, b }: Operands, { transposeA, transposeB }: tf.BatchMatMulAttrs) => {
      const [rows, depth] = transposeA ? a.shape.toReversed() : a.shape;
      const columns = b.shape[transposeB ? 0 : 1];
      const output = heap.output([rows, columns]);
      heap.borrow([packedBytes(depth, columns)], ([packed]) => {
        const left = rowMajor(heap.address(a), a.shape[1]);
        const right = rowMajor(heap.address(b), b.shape[1]);
        product.multiply(
          transposeA ? transposed(left) : left,
          product.pack(transposeB ? transposed(right) : right, depth, columns, packed),
          rowMajor(heap.address(output), columns),
          rows,
        );
      });
      return output;
    },
  );
}

function isMatrix({ shape, dtype }: tf.TensorInfo): boolean {
  return dtype === 'float32' && shape.length === 2 && !shape.includes(0);
}
