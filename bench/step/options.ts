import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { checkModelOptions, type Architecture, type ModelOptions } from '../../src/model/architecture.js';
import type { Interpreters } from './peers.js';
import type { Machine } from './rows.js';
import type { Work } from './run-row.js';

export interface BenchOptions {
  readonly interpreters: Interpreters;
  readonly machine: Machine;
  readonly model: ModelOptions;
  readonly work: Work;
  /** Of the labels of the rows to run. */
  readonly pattern: RegExp;
  readonly rounds: number;
}

export function parseOptions(argv: readonly string[], gpus: number): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      pytorch: { type: 'string' },
      keras: { type: 'string' },
      rows: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      steps: { type: 'string', default: '12' },
      architecture: { type: 'string', default: 'tutorial' },
      batch: { type: 'string', default: '64' },
      threads: { type: 'string', default: String(cpus().length) },
    },
  });
  const { pytorch, keras, architecture, batch, steps } = values;
  // What the trainer has by default, and the peers' scripts too.
  const model: ModelOptions = {
    architecture: architecture as Architecture,
    imageSize: 64,
    latentSize: 100,
    generatorFeatures: 64,
    discriminatorFeatures: 64,
  };
  checkModelOptions(model);
  return Object.freeze({
    interpreters: { ...(pytorch !== undefined && { pytorch }), ...(keras !== undefined && { keras }) },
    machine: { threads: Number(values.threads), gpus },
    model,
    work: { architecture, batch: Number(batch), steps: Number(steps) },
    pattern: new RegExp(values.rows),
    rounds: Number(values.rounds),
  });
}
