import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { randomStream } from '../common/random.js';
import { UserError } from '../common/errors.js';
import { parseWhole } from '../common/numbers.js';
import { latentOf, mean, type Latent } from './latents.js';

/** Faces that are averaged, to be added or subtracted. */
export interface Term {
  readonly sign: 1 | -1;
  readonly seeds: readonly number[];
}

/** Range of the noise for neighbours of the result, in both directions (Radford et al. 2015, figure 7). */
const NEIGHBOUR_NOISE = 0.25;
const NEIGHBOURS = 8;

/** "1,2,3 - 4,5,6 + 7,8,9": lists of seeds. Throws a UserError for anything else. */
export function parseArithmetic(text: string): Term[] {
  const terms: Term[] = [];
  const pattern = /\s*(?<sign>[+-]?)\s*(?<list>\d+(?:\s*,\s*\d+)*)\s*/y;
  while (pattern.lastIndex < text.length) {
    const groups = pattern.exec(text)?.groups;
    if (!groups || (groups['sign'] === '') !== (terms.length === 0))
      throw new UserError(
        `--arithmetic ${text} is no sum of lists of seeds: give it like "1,2,3 - 4,5,6 + 7,8,9"`,
      );
    const seeds = groups['list'].split(',').map((seed) => requireSeed(seed.trim()));
    terms.push({ sign: groups['sign'] === '-' ? -1 : 1, seeds });
  }
  if (terms.length < 2)
    throw new UserError(
      '--arithmetic needs two lists of seeds or more: give it like "1,2,3 - 4,5,6 + 7,8,9"',
    );
  return terms;
}

function requireSeed(text: string): number {
  const seed = parseWhole(text);
  if (seed !== undefined) return seed;
  throw new UserError(`--arithmetic: expected seeds below 2^53, found ${text}; take a smaller one`);
}

/** Rows of faces, as in figure 7 of the DCGAN paper. */
export interface ArithmeticFaces {
  /** Faces of each term, and last that of their mean. */
  readonly terms: readonly (readonly Latent[])[];
  /** 3 x 3: the face of the result, and around it faces of the result with a little noise. */
  readonly result: readonly Latent[];
}

/** Adds and subtracts the mean of each term's noise vectors. */
export function calculate(terms: readonly Term[], latentSize: number): ArithmeticFaces {
  const rows = terms.map(({ seeds }) => seeds.map((seed) => latentOf(seed, 0, latentSize)));
  const means = rows.map((row) => mean(row));
  const result = means[0].map((_, i) =>
    means.reduce((sum, vector, term) => sum + terms[term].sign * vector[i], 0),
  );
  const around = Array.from({ length: NEIGHBOURS }, (_, neighbour) => {
    const stream = randomStream(neighbour, 'neighbour');
    return result.map((value) => value + NEIGHBOUR_NOISE * (2 * uniformFloat64(stream) - 1));
  });
  const centre = NEIGHBOURS / 2;
  return {
    terms: rows.map((row, term) => [...row, means[term]]),
    result: [...around.slice(0, centre), result, ...around.slice(centre)],
  };
}
