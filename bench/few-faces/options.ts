import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { wholeNumbers } from '../support/whole-numbers.js';
import { SETTINGS, type Setting } from './settings.js';

export interface BenchOptions {
  /** Drawn faces, runs and results; what is there already is not done again. */
  readonly folder: string;
  /** Faces to train on. */
  readonly counts: readonly number[];
  readonly seeds: readonly number[];
  readonly settings: readonly Setting[];
  readonly steps: number;
  /** Samples of an evaluation, and as many real faces. */
  readonly samples: number;
  /** Milliseconds that a program may take. */
  readonly limit: number;
}

export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      folder: { type: 'string', default: 'runs/few-faces' },
      faces: { type: 'string', default: '500,4000' },
      seeds: { type: 'string', default: '0,1,2' },
      settings: { type: 'string', default: SETTINGS.map(({ name }) => name).join() },
      steps: { type: 'string', default: '1240' },
      samples: { type: 'string', default: '1000' },
      minutes: { type: 'string', default: '60' },
    },
  });
  const settings = values.settings.split(',').map((name) => {
    const setting = SETTINGS.find((known) => known.name === name);
    if (!setting)
      throw new Error(`--settings takes ${SETTINGS.map((known) => known.name).join()}, not ${name}`);
    return setting;
  });
  return Object.freeze({
    folder: resolve(values.folder),
    counts: wholeNumbers('faces', values.faces, 1),
    seeds: wholeNumbers('seeds', values.seeds, 0),
    settings,
    steps: wholeNumbers('steps', values.steps, 1)[0],
    samples: wholeNumbers('samples', values.samples, 1)[0],
    limit: 60_000 * wholeNumbers('minutes', values.minutes, 1)[0],
  });
}
