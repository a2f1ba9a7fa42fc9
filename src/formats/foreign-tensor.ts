import { inverseOrder, reorderAxes, reorderedShape, type Four } from './reorder-axes.js';

/** A tensor of ours as another program names it and lays it out. */
export interface ForeignTensor {
  /** Theirs. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Ours, in full: `generator.parameters.layer0.kernel`. */
  readonly slot: string;
  /** Undefined: the numbers lie there as they lie here. */
  readonly layout?: AxisOrder;
}

/** Axis i there is axis `order[i]` here, where the tensor has the shape `ours`. */
export interface AxisOrder {
  readonly ours: Four;
  readonly order: Four;
}

/** A tensor of four axes that are in another order there. */
export function reordered(name: string, slot: string, layout: AxisOrder): ForeignTensor {
  return { name, shape: reorderedShape(layout.ours, layout.order), slot, layout };
}

export function toForeign({ layout }: ForeignTensor, values: Float32Array): Float32Array {
  return layout ? reorderAxes(values, layout.ours, layout.order) : values;
}

export function fromForeign({ layout }: ForeignTensor, values: Float32Array): Float32Array {
  if (!layout) return values;
  return reorderAxes(values, reorderedShape(layout.ours, layout.order), inverseOrder(layout.order));
}
