import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { narrowToBfloat16 } from '../src/engine/recording/bfloat16.js';
import { carryOver, rootNodes } from '../src/engine/recording/carry.js';
import { closure, DataType, Graph, type Value } from '../src/engine/recording/graph.js';
import { tensorflow } from '../src/engine/recording/generated/tensorflow.js';
import { encodeSavedModel } from '../src/engine/recording/saved-model.js';
import { Variable } from '../src/engine/recording/variable.js';

const { DT_BFLOAT16, DT_FLOAT } = DataType;

function input(graph: Graph): Value {
  return graph.stateful({ op: 'Placeholder', outputs: [{ dtype: DT_FLOAT, shape: [2, 2] }] }).outputs[0];
}

function op(graph: Graph, name: string, ...inputs: Value[]): Value {
  const attributes = { T: { type: DT_FLOAT } };
  return graph.pure({ op: name, attributes, inputs, outputs: [{ dtype: DT_FLOAT, shape: [2, 2] }] })
    .outputs[0];
}

/** The operations that fetching a value runs, in order. */
function opsOf(...values: Value[]): string[] {
  return closure(values.map(({ node }) => node)).map((node) => node.op);
}

describe('a graph', () => {
  it('makes equal pure nodes once, and others each time', () => {
    const graph = new Graph();
    const x = input(graph);
    assert.equal(op(graph, 'Relu', x), op(graph, 'Relu', x));
    assert.notEqual(op(graph, 'Relu', x), op(graph, 'Tanh', x));
    assert.notEqual(op(graph, 'Relu', x), op(graph, 'Relu', input(graph)));
    assert.equal(graph.scalar(2), graph.scalar(2));
    assert.notEqual(graph.scalar(2), graph.scalar(3));
    const variable = new Variable(graph, 'v', { dtype: DT_FLOAT, shape: [2, 2] });
    assert.notEqual(variable.read(), variable.read());
  });

  it('orders what is needed, inputs first, and leaves out what is not', () => {
    const graph = new Graph();
    const x = input(graph);
    const product = op(graph, 'MatMul', op(graph, 'Relu', x), x);
    op(graph, 'Tanh', product);
    assert.deepEqual(opsOf(product), ['Placeholder', 'Relu', 'MatMul']);
  });

  it('is written as a SavedModel that decodes to its nodes', () => {
    const graph = new Graph();
    const product = op(graph, 'MatMul', input(graph), graph.scalar(2));
    const done = graph.stateful({ op: 'NoOp', after: [product.node] });
    const { metaGraphs } = tensorflow.SavedModel.decode(encodeSavedModel(closure([done]), '2.21.0'));
    const nodes = metaGraphs[0].graphDef?.node ?? [];
    assert.deepEqual(
      nodes.map(({ name, input: inputs }) => [name, inputs]),
      [
        ['Placeholder_0', []],
        ['Const_1', []],
        ['MatMul_2', ['Placeholder_0:0', 'Const_1:0']],
        ['NoOp_3', ['^MatMul_2']],
      ],
    );
    const content = nodes[1].attr?.['value'].tensor?.tensorContent;
    assert.ok(content);
    assert.equal(Buffer.from(content).readFloatLE(), 2);
    assert.equal(nodes[2].attr?.['T'].type, DT_FLOAT);
  });
});

describe('a call that takes over from another', () => {
  const graph = new Graph();
  const weights = new Variable(graph, 'weights', { dtype: DT_FLOAT, shape: [2, 2] });
  const noise = input(graph);
  const hidden = op(graph, 'MatMul', noise, weights.read());
  const image = op(graph, 'Tanh', hidden);
  const judged = op(graph, 'Sigmoid', image);
  const gradient = op(graph, 'TanhGrad', image, op(graph, 'Reshape', noise));
  const { earlier, later } = carryOver(
    graph,
    { fetches: [judged], effects: [] },
    { fetches: [gradient, hidden], effects: [] },
  );

  it('reads what both compute, and computes neither it nor what it is made of', () => {
    assert.deepEqual(opsOf(...later.fetches).sort(), [
      'Placeholder',
      'ReadVariableOp',
      'ReadVariableOp',
      'Reshape',
      'TanhGrad',
      'VarHandleOp',
      'VarHandleOp',
    ]);
  });

  it('has the earlier one keep just that, and fetch what it fetched', () => {
    assert.deepEqual(earlier.fetches, [judged]);
    assert.deepEqual(
      earlier.effects.map(({ op: name, inputs }) => [name, inputs[1]]),
      [
        ['AssignVariableOp', image],
        ['AssignVariableOp', hidden],
      ],
    );
    assert.ok(rootNodes(earlier).includes(judged.node));
  });
});

describe('a call that waits for what an earlier one has run', () => {
  it('does not run it again', () => {
    const graph = new Graph();
    const first = op(graph, 'Tanh', input(graph));
    const waited = graph.pure({
      op: 'Identity',
      inputs: [input(graph)],
      after: [first.node],
      outputs: [first],
    });
    const second = op(graph, 'Sigmoid', waited.outputs[0]);
    const { later } = carryOver(
      graph,
      { fetches: [], effects: [first.node] },
      { fetches: [op(graph, 'Add', first, second)], effects: [] },
    );
    const expected = ['Add', 'Identity', 'Placeholder', 'ReadVariableOp', 'Sigmoid', 'VarHandleOp'];
    assert.deepEqual(opsOf(...later.fetches).sort(), expected);
  });
});

describe('mixed precision', () => {
  const graph = new Graph();
  const narrow = narrowToBfloat16(graph);
  const fetch = (value: Value): Value => narrow({ fetches: [value], effects: [] }).fetches[0];

  it('casts into and out of a matrix product, and nothing else', () => {
    const x = input(graph);
    const product = fetch(op(graph, 'MatMul', x, x));
    assert.equal(product.dtype, DT_FLOAT);
    // Both inputs are one value, and cast once.
    assert.deepEqual(opsOf(product), ['Placeholder', 'Cast', 'MatMul', 'Cast']);
    const other = op(graph, 'Softplus', x);
    assert.equal(fetch(other), other);
  });

  it('keeps feature maps in bfloat16 from layer to layer', () => {
    const x = input(graph);
    const layers = op(graph, 'Relu', op(graph, 'Reshape', op(graph, 'Conv2D', x, x), graph.scalar(0)));
    const narrowed = fetch(op(graph, 'Tanh', op(graph, 'Conv2D', layers, x)));
    assert.deepEqual(
      opsOf(narrowed).filter((name) => name === 'Cast'),
      ['Cast', 'Cast'],
    );
    const types = closure([narrowed.node]).flatMap((node) =>
      node.outputs.map(({ dtype }) => [node.op, dtype]),
    );
    for (const name of ['Conv2D', 'Reshape', 'Relu'])
      assert.ok(types.some(([of, dtype]) => of === name && dtype === DT_BFLOAT16));
    assert.ok(types.some(([of, dtype]) => of === 'Tanh' && dtype === DT_FLOAT));
  });

  it('leaves statistics of batch norm, and what variables are given, in float32', () => {
    const x = input(graph);
    const type = { dtype: DT_FLOAT, shape: [2, 2] };
    const parts = { op: 'FusedBatchNormV3', attributes: { T: { type: DT_FLOAT }, U: { type: DT_FLOAT } } };
    const norm = graph.pure({ ...parts, inputs: [op(graph, 'Conv2D', x, x), x, x], outputs: [type, type] });
    const [output, mean] = norm.outputs.map((value) => fetch(value));
    assert.deepEqual([output.node.op, mean.node.op, mean.dtype], ['Cast', 'FusedBatchNormV3', DT_FLOAT]);
    assert.equal(mean.node.attributes['U'].type, DT_FLOAT);

    const variable = new Variable(graph, 'w', type);
    const assigned = variable.assign(op(graph, 'Conv2DBackpropFilter', x, graph.scalar(0), x));
    const [effect] = narrow({ fetches: [], effects: [assigned] }).effects;
    assert.equal(effect.inputs[1].dtype, DT_FLOAT);
  });
});
