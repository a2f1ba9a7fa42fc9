import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { checkModelOptions, type ModelOptions, type Network } from '../model/architecture.js';
import { modelLayout, type ModelLayout } from '../model/layout.js';
import type { TrainingOptions } from '../model/training-options.js';
import { fitWeights, type NamedTensors } from './foreign-weights.js';
import { shortPath } from '../common/display-path.js';
import { findWeights } from './find-weights.js';
import { InitialState } from './initial-state.js';
import { pyTorchTensors } from './pytorch-tensors.js';
import { readPyTorch } from './read-pytorch.js';
import { readTfjs } from './read-tfjs.js';
import { tfjsTensors } from './tfjs-tensors.js';
import { CONFIG_FILE, type ExportFormat } from './weights-config.js';

/** Weights that a run starts from, and what options.json keeps of them. */
export interface InitialWeights {
  readonly state: InitialState;
  readonly facts: InitialFacts;
}

export interface InitialFacts {
  readonly path: string;
  readonly format: ExportFormat;
  /** Those that it holds. */
  readonly networks: readonly Network[];
  /** SHA-256 of the whole state. */
  readonly sha256: string;
}

/** The weights in a file or folder of PyTorch's or TensorFlow.js's, where they are those of the run's networks. */
export async function readInitial(path: string, training: TrainingOptions): Promise<InitialWeights> {
  const { format, folder, files } = await findWeights(shortPath(path));
  const networks = [...files.keys()];
  await compareConfig(join(folder, CONFIG_FILE), networks, training);
  const layout = modelLayout(training);
  const given = new Map<string, Float32Array>();
  for (const [network, file] of files) {
    for (const [name, values] of await readNetwork(format, file, network, layout)) given.set(name, values);
  }
  const state = new InitialState(layout, training.seed, given);
  return { state, facts: { path, format, networks, sha256: state.digest } };
}

async function readNetwork(
  format: ExportFormat,
  file: string,
  network: Network,
  layout: ModelLayout,
): Promise<NamedTensors> {
  if (format === 'tfjs') return fitWeights(await readTfjs(file), tfjsTensors(layout));
  const { tensors, counters } = pyTorchTensors(network, layout[network]);
  return fitWeights(await readPyTorch(file), tensors, counters);
}

/** Says which options make the networks that the weights are of, where they come with that and it is not the run's. */
async function compareConfig(
  path: string,
  networks: readonly Network[],
  training: TrainingOptions,
): Promise<void> {
  const theirs = await readConfig(path);
  if (!theirs) return;
  const layers = (model: ModelOptions, network: Network): string =>
    JSON.stringify(modelLayout(model)[network].layers);
  if (networks.every((network) => layers(theirs, network) === layers(training, network))) return;
  const other = MODEL_OPTIONS.filter(([, name]) => theirs[name] !== training[name]);
  throw new UserError(
    `the weights beside ${path} are of another network than the run's: give ` +
      other.map(([option, name]) => `${option} ${theirs[name]}`).join(' '),
  );
}

const MODEL_OPTIONS = [
  ['--architecture', 'architecture'],
  ['--image-size', 'imageSize'],
  ['--latent-size', 'latentSize'],
  ['--generator-features', 'generatorFeatures'],
  ['--discriminator-features', 'discriminatorFeatures'],
] as const;

/** Returns undefined if there is none, or if another program wrote it. */
async function readConfig(path: string): Promise<ModelOptions | undefined> {
  try {
    const config = JSON.parse(await readFile(path, 'utf8')) as ModelOptions;
    checkModelOptions(config);
    return config;
  } catch {
    return undefined;
  }
}
