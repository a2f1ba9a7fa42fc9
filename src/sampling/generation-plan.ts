import { extname } from 'node:path';
import { UserError } from '../common/errors.js';
import { calculate, parseArithmetic } from './latent-arithmetic.js';
import { latentOf, path, type Latent } from './latents.js';

export interface GenerateArguments {
  readonly count: number;
  readonly seed: number;
  readonly seeds?: readonly number[];
  readonly interpolate?: true;
  readonly between?: readonly number[];
  readonly frames: number;
  readonly arithmetic?: string;
  readonly each?: true;
  readonly out: string;
}

/** Faces to generate, and their layout. */
export interface FacesPlan {
  readonly latents: readonly Latent[];
  readonly layout: 'grid' | 'files' | 'animation' | 'arithmetic';
  /** Faces in each row of an arithmetic. */
  readonly rows?: readonly number[];
  readonly format: 'png' | 'webp' | 'gif';
}

/** Bounds of counts: memory is limited, and a longer animation cannot be watched. */
const MOST_FRAMES = 2_000;

/** From the options alone. Throws a UserError if they contradict each other. */
export function planFaces(given: GenerateArguments, latentSize: number): FacesPlan {
  refuseContradictions(given);
  const { interpolate, between, each, arithmetic, frames } = given;
  const format = formatOf(given);
  if (arithmetic !== undefined) {
    const { terms, result } = calculate(parseArithmetic(arithmetic), latentSize);
    const rows = [...terms.map((row) => row.length), 3, 3, 3];
    return { latents: [...terms.flat(), ...result], layout: 'arithmetic', rows, format };
  }
  const keys = keysOf(given, latentSize);
  if (!interpolate && !between) return { latents: keys, layout: each ? 'files' : 'grid', format };
  if (keys.length < 2) throw new UserError('there is nothing between one face: give --count 2 or more');
  const latents = path(keys, frames);
  if (latents.length > MOST_FRAMES)
    throw new UserError(
      `${latents.length} frames are more than ${MOST_FRAMES}: give fewer --frames or --count`,
    );
  // A row for each way; the last face ends the last one.
  const rows = Array.from({ length: keys.length - 1 }, (_, way) =>
    way < keys.length - 2 ? frames : frames + 1,
  );
  return { latents, layout: each ? 'files' : format === 'png' ? 'grid' : 'animation', rows, format };
}

/** The first face of each seed that is named, or the first faces of one seed. */
function keysOf({ seeds, between, seed, count }: GenerateArguments, latentSize: number): Latent[] {
  const named = between ?? seeds;
  if (named) return named.map((each) => latentOf(each, 0, latentSize));
  return Array.from({ length: count }, (_, face) => latentOf(seed, face, latentSize));
}

function formatOf({ out, each, interpolate, between }: GenerateArguments): FacesPlan['format'] {
  if (each) return 'png';
  const format = extname(out).slice(1).toLowerCase();
  const moves = interpolate === true || between !== undefined;
  if (format === 'png' || format === 'webp' || (format === 'gif' && moves)) return format;
  throw new UserError(
    moves
      ? `--out ${out} must end in .gif or .webp (a moving picture) or .png (all frames in a grid)`
      : `--out ${out} must end in .png or .webp; a folder of single files needs --each`,
  );
}

function refuseContradictions({ seeds, interpolate, between, arithmetic, each }: GenerateArguments): void {
  const contradictions: readonly [boolean, string][] = [
    [seeds !== undefined && between !== undefined, '--seeds and --between'],
    [arithmetic !== undefined && (seeds ?? between) !== undefined, '--arithmetic and other seeds'],
    [arithmetic !== undefined && interpolate === true, '--arithmetic and --interpolate'],
    [arithmetic !== undefined && each === true, '--arithmetic and --each'],
  ];
  const found = contradictions.find(([both]) => both);
  if (found) throw new UserError(`${found[1]} exclude each other`);
  if (between !== undefined && between.length !== 2)
    throw new UserError('--between needs two seeds: --between 3 7');
}
