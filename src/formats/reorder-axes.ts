/** One number for each axis of a tensor of four. */
export type Four = readonly [number, number, number, number];

/** Axis i of the result is axis `order[i]` of the tensor, whose shape is `shape`. */
export function reorderAxes(values: Float32Array, shape: Four, order: Four): Float32Array {
  const strides = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
  const [a, b, c, d] = order.map((axis) => ({ side: shape[axis], stride: strides[axis] }));
  const result = new Float32Array(values.length);
  let next = 0;
  for (let i = 0; i < a.side; i++)
    for (let j = 0; j < b.side; j++)
      for (let k = 0; k < c.side; k++) {
        const first = i * a.stride + j * b.stride + k * c.stride;
        for (let l = 0; l < d.side; l++) result[next++] = values[first + l * d.stride];
      }
  return result;
}

/** The order that puts the axes back. */
export function inverseOrder(order: Four): Four {
  return [order.indexOf(0), order.indexOf(1), order.indexOf(2), order.indexOf(3)];
}

/** The shape after the axes are in this order. */
export function reorderedShape(shape: Four, order: Four): Four {
  return [shape[order[0]], shape[order[1]], shape[order[2]], shape[order[3]]];
}
