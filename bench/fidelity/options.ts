import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder } from '../../src/common/files/cache-folder.js';
import { defaultFaces } from '../../src/data/index.js';

/** What both programs are given: as `npm start`, and written beside what they leave. */
export interface Work {
  /** Images a step. */
  readonly batch: number;
  readonly steps: number;
  readonly imageSize: number;
  readonly generatorFeatures: number;
  readonly discriminatorFeatures: number;
  /** Faces that are drawn at the end of a run. */
  readonly samples: number;
  readonly threads: number;
}

export interface FidelityOptions {
  readonly work: Work;
  /** Runs of each program: with the seeds 0, 1, 2, ... */
  readonly seeds: number;
  /** A Python with torch and numpy. */
  readonly python: string;
  /** An image folder; undefined: the drawn faces. */
  readonly data: string;
  readonly isDrawn: boolean;
  /** What is there already is not done again. */
  readonly out: string;
  readonly evaluates: boolean;
}

/** `npm start` does as many: 20 epochs of 4,000 images. */
const STEPS = 1240;

export function parseOptions(argv: readonly string[]): FidelityOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      python: { type: 'string', default: 'python3' },
      data: { type: 'string' },
      out: { type: 'string', default: 'runs/fidelity' },
      seeds: { type: 'string', default: '3' },
      steps: { type: 'string', default: String(STEPS) },
      samples: { type: 'string', default: '1000' },
      threads: { type: 'string', default: String(cpus().length) },
      'no-evaluate': { type: 'boolean', default: false },
    },
  });
  const seeds = whole('--seeds', values.seeds, 2); // one has no spread
  return Object.freeze({
    work: {
      batch: 64,
      steps: whole('--steps', values.steps, WINDOWS),
      imageSize: 32,
      generatorFeatures: 64,
      discriminatorFeatures: 32,
      samples: whole('--samples', values.samples, 2),
      threads: whole('--threads', values.threads, 1),
    },
    seeds,
    python: values.python,
    data: resolve(values.data ?? defaultFaces(cacheFolder())),
    isDrawn: values.data === undefined,
    out: resolve(values.out),
    evaluates: !values['no-evaluate'],
  });
}

/** Into so many windows a run is cut where curves are compared. */
export const WINDOWS = 10;

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
    throw new Error(`${name} must be a whole number of at least ${least}, not ${text}`);
  return value;
}
