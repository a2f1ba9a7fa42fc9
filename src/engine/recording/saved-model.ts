import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { tensorflow } from './generated/tensorflow.js';
import type { GraphNode, Value } from './graph.js';

const TAG = 'serve';
/** The version of TensorFlow's graph format that these operations are written in, and the oldest that reads it. */
const GRAPH_VERSION = { producer: 1882, minConsumer: 12 };

/** Nodes are named by their number and operation. */
function nameOf({ op, serial }: GraphNode): string {
  return `${op}_${serial}`;
}

/** Returns TensorFlow's name of a tensor. */
export function tensorName({ node, index }: Value): string {
  return `${nameOf(node)}:${index}`;
}

/** A graph as a SavedModel without variables: its file's bytes. */
export function encodeSavedModel(nodes: readonly GraphNode[], tensorflowVersion: string): Uint8Array {
  const node = nodes.map((each) => ({
    name: nameOf(each),
    op: each.op,
    input: [...each.inputs.map(tensorName), ...each.after.map((before) => `^${nameOf(before)}`)],
    attr: each.attributes,
  }));
  const metaInfoDef = { tags: [TAG], tensorflowVersion };
  const metaGraphs = [{ metaInfoDef, graphDef: { node, versions: GRAPH_VERSION } }];
  return tensorflow.SavedModel.encode({ savedModelSchemaVersion: 1, metaGraphs }).finish();
}

/** Makes a session of a graph; returns its number in the binding. */
export function loadGraph(binding: TFJSBinding, nodes: readonly GraphNode[]): number {
  // The binding loads sessions from folders only.
  const folder = mkdtempSync(join(tmpdir(), 'dcgan-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(nodes, binding.TF_Version));
    return binding.loadSavedModel(folder, TAG);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
