import type { Attributes, TensorType, Value } from './graph.js';

interface Operation {
  readonly op: string;
  readonly attributes: Attributes;
  readonly inputs: readonly Value[];
}

/**
 * The types of what operations give, which follow from their attributes, the types of their inputs and the values of
 * their constants: an operation that comes again on other values of the same types need not run to be recorded. A step
 * has most of its operations several times, and runs for as long as it does when it trains.
 */
export class OutputTypes {
  readonly #known = new Map<string, readonly TensorType[]>();

  of(operation: Operation): readonly TensorType[] | undefined {
    return this.#known.get(keyOf(operation));
  }

  note(operation: Operation, types: readonly TensorType[]): void {
    this.#known.set(keyOf(operation), types);
  }
}

function keyOf({ op, attributes, inputs }: Operation): string {
  const given = inputs.map(({ node, dtype, shape }) =>
    node.op === 'Const' ? node.serial : [dtype, ...shape],
  );
  return JSON.stringify([op, attributes, given]);
}
