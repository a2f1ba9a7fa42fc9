import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { cacheFolder } from '../../../src/common/files/cache-folder.js';
import { randomStream } from '../../../src/common/random.js';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { Program, type Ending } from './program.js';

/** The smallest network there is: a step takes milliseconds, and every message is sent all the same. */
export const SMALL: readonly string[] = [
  ...['--architecture', 'tutorial', '--image-size', '32', '--latent-size', '8'],
  ...['--generator-features', '4', '--discriminator-features', '4'],
  ...['--batch-size', '16', '--threads', '1'],
];

/** Has every program of a run load a module of this folder first. */
export function preloading(name: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=${new URL(`${name}.js`, import.meta.url).href}` };
}

/** More steps than any test waits for. */
export const ENDLESS = ['--steps', '1000000', '--sample-every', '0'] as const;

/** A folder to train in, with images, and a cache of its own that has the engine of this machine. */
export class Workplace {
  readonly #programs: Program[] = [];

  private constructor(readonly folder: string) {}

  static async make(): Promise<Workplace> {
    const workplace = new Workplace(await mkdtemp(join(tmpdir(), 'dcgan-trainer-')));
    await workplace.makeCache('cache');
    await workplace.makeImages('images');
    return workplace;
  }

  get images(): string {
    return join(this.folder, 'images');
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** A cache that is empty but for the engine, if this machine has one. Returns its path. */
  async makeCache(name: string): Promise<string> {
    const cache = this.path(name);
    await mkdir(cache);
    const engine = join(cacheFolder(), 'engine');
    if (existsSync(engine)) await symlink(engine, join(cache, 'engine'));
    return cache;
  }

  /** An image folder of small pictures, each a colour that fades into another. */
  async makeImages(name: string, count = 96, seed = 0): Promise<string> {
    const folder = this.path(name, 'faces');
    await mkdir(folder, { recursive: true });
    const stream = randomStream(seed, 'pictures');
    const size = 32;
    for (let image = 0; image < count; image++) {
      const [from, to] = [0, 1].map(() => [0, 1, 2].map(() => uniformInt(stream, 0, 255)));
      const pixels = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
        const share = Math.floor(i / 3 / size) / (size - 1);
        return from[i % 3] * (1 - share) + to[i % 3] * share;
      });
      const raw = { width: size, height: size, channels: 3 } as const;
      await sharp(pixels, { raw })
        .png()
        .toFile(join(folder, `${String(image).padStart(4, '0')}.png`));
    }
    return this.path(name);
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
    const place = this.place();
    return this.add(Program.start('coordinator', args, { ...place, env: { ...place.env, ...env } }));
  }

  startWorker(args: readonly string[], cache = 'cache', env: NodeJS.ProcessEnv = {}): Program {
    const place = this.place(cache);
    return this.add(Program.start('worker', args, { ...place, env: { ...place.env, ...env } }));
  }

  /** Anything else that is to end with the workplace. */
  add(program: Program): Program {
    this.#programs.push(program);
    return program;
  }

  place(cache = 'cache'): { cwd: string; env: NodeJS.ProcessEnv } {
    return { cwd: this.folder, env: { ...process.env, DCGAN_CACHE: this.path(cache) } };
  }

  /** `coordinator train` with the small network on the images, to its end. */
  run(runFolder: string, args: readonly string[]): Promise<Ending> {
    return this.start(this.training(runFolder, args)).ended();
  }

  /** A run in one process, to its end, that others have to be the same as. */
  async quietRun(runFolder: string, args: readonly string[]): Promise<void> {
    const { code, lines } = await this.run(runFolder, ['--single-node', ...args]);
    if (code !== 0) throw new Error(lines.join('\n'));
  }

  /** A run that has ended, once more, to go on from it in another way. */
  async copyRun(runFolder: string, copy: string): Promise<void> {
    await cp(this.path(runFolder), this.path(copy), { recursive: true, errorOnExist: true, force: false });
  }

  training(runFolder: string, args: readonly string[]): string[] {
    return ['train', '--data', this.images, ...SMALL, '--no-http', '--run-dir', runFolder, ...args];
  }

  /** Ends what is still running, and removes everything. */
  async remove(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
