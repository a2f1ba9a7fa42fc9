import { readFile } from 'node:fs/promises';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writePicture } from '../../src/sampling/picture.js';
import { runProgram } from '../support/program.js';
import { COORDINATOR, stepLogOf, trainerArguments } from '../support/trainer.js';
import type { FidelityOptions } from './options.js';

export const PROGRAMS = ['here', 'pytorch'] as const;
export type ProgramName = (typeof PROGRAMS)[number];

/** The images, as a folder and decoded. */
export interface Images {
  readonly folder: string;
  readonly pack: string;
}

/** Where the losses and the faces of a program's run with a seed are: losses.jsonl and faces/. */
export function folderOf({ out }: FidelityOptions, program: ProgramName, seed: number): string {
  return join(out, `${program}-${seed}`);
}

/** Trains a program and draws faces with it, unless an earlier call has. Returns the seconds that it took. */
export async function runOf(
  program: ProgramName,
  seed: number,
  images: Images,
  options: FidelityOptions,
): Promise<number | undefined> {
  const folder = folderOf(options, program, seed);
  if (existsSync(folder)) return undefined;
  const part = `${folder}.part`; // of a call that was interrupted
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const start = performance.now();
  if (program === 'here') await trainHere(part, seed, images, options);
  else await trainPytorch(part, seed, images, options);
  renameSync(part, folder);
  return (performance.now() - start) / 1000;
}

async function trainHere(
  folder: string,
  seed: number,
  images: Images,
  { work }: FidelityOptions,
): Promise<void> {
  const run = join(folder, 'run');
  const args = [
    ...['--single-node', '--data', images.folder, '--seed', String(seed), ...sizes(work)],
    ...['--batch-size', String(work.batch), '--steps', String(work.steps)],
    ...['--threads', String(work.threads), '--sample-every', '0', '--checkpoint-every', '0'],
  ];
  await runProgram(process.execPath, trainerArguments(run, args));
  copyFileSync(stepLogOf(run), join(folder, 'losses.jsonl'));
  const faces = ['--count', String(work.samples), '--seed', String(seed), '--out', join(folder, 'faces')];
  await runProgram(process.execPath, [COORDINATOR, 'generate', run, '--each', ...faces]);
}

async function trainPytorch(
  folder: string,
  seed: number,
  images: Images,
  { work, python }: FidelityOptions,
): Promise<void> {
  const script = fileURLToPath(new URL('../../../bench/fidelity/pytorch_train.py', import.meta.url));
  const raw = join(folder, 'faces.raw');
  const args = [
    ...['--pack', images.pack, '--seed', String(seed), ...sizes(work)],
    ...['--batch', String(work.batch), '--steps', String(work.steps)],
    ...['--threads', String(work.threads), '--samples', String(work.samples)],
    ...['--losses', join(folder, 'losses.jsonl'), '--faces', raw],
  ];
  await runProgram(python, [script, ...args], { env: { CUDA_VISIBLE_DEVICES: '', ...threadsOf(work) } });
  await writeFaces(join(folder, 'faces'), await readFile(raw), work.imageSize);
  rmSync(raw);
}

/** torch tells its own threads, but not those of every BLAS below it. */
function threadsOf({ threads }: FidelityOptions['work']): NodeJS.ProcessEnv {
  return { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
}

/** What both programs call the same. */
function sizes({ imageSize, generatorFeatures, discriminatorFeatures }: FidelityOptions['work']): string[] {
  return [
    ...['--architecture', 'tutorial', '--image-size', String(imageSize)],
    ...['--generator-features', String(generatorFeatures)],
    ...['--discriminator-features', String(discriminatorFeatures)],
  ];
}

/** As `generate --each` writes them. */
async function writeFaces(folder: string, all: Uint8Array, size: number): Promise<void> {
  mkdirSync(folder);
  const length = size * size * 3;
  for (let face = 0; face * length < all.length; face++) {
    const pixels = all.subarray(face * length, (face + 1) * length);
    const name = `face-${String(face).padStart(4, '0')}.png`;
    await writePicture(join(folder, name), { width: size, height: size, pixels });
  }
}
