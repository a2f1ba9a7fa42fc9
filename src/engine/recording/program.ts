import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import { DataType, type Value } from './graph.js';
import { tensorName } from './saved-model.js';

/** A call as the session takes it. */
export interface CompiledCall {
  readonly inputs: readonly { readonly name: string; readonly value: Value }[];
  readonly fetches: readonly Value[];
  /** Fetched last, and thrown away: it runs what the call changes. */
  readonly done: Value | undefined;
  /** The call whose values this one takes over. */
  readonly takesFrom: string | undefined;
}

export type Feeds = Readonly<Record<string, Float32Array>>;

/** Recorded functions as calls of one session. The session holds the variables; only inputs and fetches cross it. */
export class Program {
  readonly #done = new Set<string>();

  constructor(
    private readonly backend: NodeJSKernelBackend,
    private readonly session: number,
    private readonly calls: ReadonlyMap<string, CompiledCall>,
  ) {}

  /** Feeds by the inputs' names; returns the fetches in the order they were declared in, each flat. */
  run(name: string, feeds: Feeds): Float32Array[] {
    const values: Float32Array[] = [];
    this.runEach(name, feeds, (_, read) => values.push(read()));
    return values;
  }

  /** The same for fetches that are large together: each is copied out of the session only where it is read. */
  runEach(name: string, feeds: Feeds, visit: (index: number, read: () => Float32Array) => void): void {
    const { inputs, fetches, done, takesFrom } = this.#call(name);
    if (takesFrom !== undefined && !this.#done.has(takesFrom))
      throw new Error(`${name} takes values from ${takesFrom}, which has not run yet`);
    this.#runSession(name, inputs, done ? [...fetches, done] : fetches, feeds, (index, read) => {
      if (index < fetches.length) visit(index, read);
    });
    this.#done.add(name);
  }

  /**
   * Calls that fetch nothing and share no input, all at once. The first run of a call costs some milliseconds, in which
   * TensorFlow goes through the whole graph; so do all of these together.
   */
  runTogether(names: readonly string[], feeds: Feeds): void {
    const calls = names.map((name) => this.#call(name));
    const inputs = calls.flatMap((call) => call.inputs);
    const done = calls.flatMap((call) => call.done ?? []);
    this.#runSession(names.join(', '), inputs, done, feeds, () => undefined);
  }

  #call(name: string): CompiledCall {
    const call = this.calls.get(name);
    if (!call) throw new Error(`no call ${name} was recorded`);
    return call;
  }

  #runSession(
    name: string,
    inputs: CompiledCall['inputs'],
    fetched: readonly Value[],
    feeds: Feeds,
    visit: (index: number, read: () => Float32Array) => void,
  ): void {
    const { binding } = this.backend;
    const given = inputs.map((input) => feedOf(name, input, feeds));
    const fed = given.map((feed) => binding.createTensor(...feed));
    try {
      const inputNames = inputs.map(({ value }) => tensorName(value)).join(',');
      const results = binding.runSavedModel(this.session, fed, inputNames, fetched.map(tensorName).join(','));
      for (const [index, { id }] of results.entries()) {
        visit(index, () => binding.tensorDataSync(id) as Float32Array);
        binding.deleteTensor(id);
      }
    } finally {
      for (const id of fed) binding.deleteTensor(id);
    }
  }

  /** Ends the session; its variables go with it. */
  dispose(): void {
    this.backend.binding.deleteSavedModel(this.session);
  }
}

function feedOf(
  call: string,
  { name, value }: CompiledCall['inputs'][number],
  feeds: Feeds,
): [shape: number[], dtype: number, values: Float32Array] {
  const values = feeds[name] as Float32Array | undefined;
  const length = value.shape.reduce((product, side) => product * side, 1);
  if (values?.length !== length)
    throw new Error(`${call} takes ${length} numbers as ${name}, not ${values?.length ?? 'none'}`);
  return [[...value.shape], DataType.DT_FLOAT, values];
}
