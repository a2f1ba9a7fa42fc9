import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { wholeNumbers } from '../support/whole-numbers.js';
import { WIRE_FORMATS, type WireFormat } from '../../src/averaging/wire-format.js';

export interface BenchOptions {
  /** Drawn faces, runs and results; what is there already is not done again. */
  readonly folder: string;
  readonly faces: number;
  readonly seeds: readonly number[];
  readonly wires: readonly WireFormat[];
  readonly steps: number;
  readonly batchSize: number;
  /** Samples of an evaluation, and as many real faces. */
  readonly samples: number;
  /** Milliseconds that a program may take. */
  readonly limit: number;
  /** Where the picture goes. */
  readonly picture: string | undefined;
}

export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      folder: { type: 'string', default: 'runs/wire' },
      faces: { type: 'string', default: '4000' },
      seeds: { type: 'string', default: '0,1,2' },
      wires: { type: 'string', default: WIRE_FORMATS.join() },
      steps: { type: 'string', default: '1240' },
      'batch-size': { type: 'string', default: '64' },
      samples: { type: 'string', default: '1000' },
      minutes: { type: 'string', default: '60' },
      picture: { type: 'string' },
    },
  });
  const numbers = (name: keyof typeof values, least: number): number[] =>
    wholeNumbers(name, String(values[name]), least);
  const wires = values.wires.split(',').map((name) => {
    const wire = WIRE_FORMATS.find((known) => known === name);
    if (!wire) throw new Error(`--wires takes ${WIRE_FORMATS.join()}, not ${name}`);
    return wire;
  });
  return Object.freeze({
    folder: resolve(values.folder),
    faces: numbers('faces', 1)[0],
    seeds: numbers('seeds', 0),
    wires,
    steps: numbers('steps', 1)[0],
    batchSize: numbers('batch-size', 2)[0],
    samples: numbers('samples', 1)[0],
    limit: 60_000 * numbers('minutes', 1)[0],
    picture: values.picture,
  });
}
