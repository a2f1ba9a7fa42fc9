import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Summation } from '../averaging/order-of-sums.js';
import { WIRE_FORMATS, type WireFormat } from '../averaging/wire-format.js';
import { LOG_FORMATS, type LogFormat } from '../common/log.js';
import { decimal, whole } from '../common/numbers.js';
import { Secret } from '../common/secret.js';
import { DEFAULT_MAX_BROKEN_SHARE } from '../data/index.js';
import { ENGINE_CHOICES, PRECISIONS, type EngineChoice, type Precision } from '../engine/engine.js';
import { TOPOLOGIES, type Topology } from '../averaging/topology.js';
import { FALLBACKS, type Fallback } from './fallback.js';
import { ARCHITECTURES, IMAGE_SIZES, type Architecture, type ImageSize } from '../model/architecture.js';
import { AUGMENTATIONS, augmentationsOf } from '../model/regularization.js';

/** Options of `coordinator train` with defaults. Undefined ones are resolved by `settleOptions`. */
export interface TrainArguments extends HttpTokenArguments {
  readonly data?: string;
  readonly followLinks?: true;
  readonly maxBroken: number;
  readonly workers?: number;
  readonly singleNode?: true;
  readonly external?: true;
  readonly minWorkers: number;
  readonly maxWorkers?: number;
  readonly topology: Topology;
  /** false: --no-shared-memory */
  readonly sharedMemory: boolean;
  readonly wire: WireFormat;
  /** Set only when resuming. */
  readonly summation?: Summation;
  readonly fallback: Fallback;
  /** Seconds. */
  readonly livenessTimeout: number;
  readonly listen?: string;
  readonly keys?: string;
  /** false: --no-http */
  readonly http: string | false;
  readonly log: LogFormat;
  readonly runDir?: string;
  readonly autoResume?: true;
  readonly resume?: string;
  readonly init?: string;
  readonly dryRun?: true;
  readonly architecture: Architecture;
  readonly imageSize: ImageSize;
  readonly latentSize: number;
  readonly generatorFeatures: number;
  readonly discriminatorFeatures: number;
  readonly batchSize: number;
  readonly accumulate: number;
  readonly localSteps: number;
  readonly shards?: number;
  readonly epochs: number;
  readonly steps?: number;
  readonly seed: number;
  readonly learningRate: number;
  readonly beta1: number;
  /** 0: none */
  readonly ema: number;
  readonly mirror?: true;
  /** Names of augmentations, as in `Regularization`. */
  readonly augment?: string;
  /** 0: no penalty */
  readonly r1: number;
  readonly engine: EngineChoice;
  readonly threads?: number;
  readonly precision: Precision;
  readonly eager?: true;
  readonly sampleEvery: number;
  readonly checkpointEvery: number;
  readonly keepCheckpoints: number;
  readonly evaluateEvery: number;
}

/** Every option of training, declared here and nowhere else. */
export function addTrainOptions(command: Command): Command {
  command
    .optionsGroup('Images:')
    .option(
      '--data <dir>',
      'image folder: a folder with at least one sub-folder of images (default: drawn faces)',
      (path) => resolve(path),
    )
    .option('--follow-links', 'follow links that lead out of the --data folder')
    .option(
      '--max-broken <share>',
      'maximum fraction of broken images (0 to 1)',
      share,
      DEFAULT_MAX_BROKEN_SHARE,
    )
    .optionsGroup('Workers and engine:')
    .option('--workers <n>', 'worker processes (default: one per GPU, if there are several)', whole(1))
    .option('--single-node', 'train in this process, without workers (default without a second GPU)')
    .option('--external', 'wait for workers started elsewhere')
    .option('--min-workers <n>', 'minimum number of connected workers; training pauses below it', whole(1), 1)
    .option('--max-workers <n>', 'maximum number of external workers (default: workers)', whole(1))
    .addOption(
      new Option(
        '--fallback <what>',
        'when no worker is left: continue in this process, wait for workers, or stop',
      )
        .choices(FALLBACKS)
        .default('single-node'),
    )
    .addOption(
      new Option(
        '--topology <name>',
        'gradient averaging: star (through the coordinator), ring or tree (between workers)',
      )
        .choices(TOPOLOGIES)
        .default('auto'),
    )
    .option('--no-shared-memory', 'use messages instead of shared memory between processes of one machine')
    .addOption(
      new Option('--wire <format>', 'number format of gradients on the wire; affects results')
        .choices(WIRE_FORMATS)
        .default('fp32'),
    )
    .option(
      '--liveness-timeout <seconds>',
      'seconds without a heartbeat before a worker counts as lost',
      seconds,
      10,
    )
    .option(
      '--listen <address>',
      'address for workers; other machines require --keys (default: with --external, a free port on 127.0.0.1)',
    )
    .option(
      '--keys <dir>',
      'encrypt; admit only workers with a public key in this folder (see `coordinator keys`)',
      (path) => resolve(path),
    )
    .addOption(new Option('--engine <name>', 'engine that computes').choices(ENGINE_CHOICES).default('auto'))
    .option('--threads <n>', 'threads per shard; affects results (default: cores / shards)', whole(1))
    .addOption(
      new Option(
        '--precision <name>',
        'precision of convolutions and matrix products; everything else is fp32',
      )
        .choices(PRECISIONS)
        .default('fp32'),
    )
    .option('--eager', 'native engine: run operations one by one instead of a recorded graph (slower)')
    .optionsGroup('Model:');
  addModelOptions(command)
    .option(
      '--init <path>',
      'initial weights: a folder written by `coordinator export` or a PyTorch safetensors file',
      (path) => resolve(path),
    )
    .optionsGroup('Training:')
    .option('--batch-size <images>', 'global batch size, over all shards', whole(1), 128)
    .option('--accumulate <n>', 'batches per step, one after the other; affects results', whole(1), 1)
    .option(
      '--local-steps <k>',
      'steps that each shard trains alone before the states are averaged; samples, checkpoints and the end wait for it; affects results',
      whole(1),
      1,
    )
    .option('--shards <n>', 'equal parts of a batch; affects results (default: workers)', whole(1))
    .option('--epochs <n>', 'passes over the images', whole(1), 5)
    .option('--steps <n>', 'total number of steps, instead of --epochs', whole(1))
    .option('--seed <n>', 'seed of weights, noise and order of images', whole(0), 0)
    .option('--learning-rate <rate>', "Adam's step size", decimal(), 2e-4)
    .option('--beta1 <rate>', "decay of Adam's first moment", decimal(), 0.5)
    .optionsGroup('Better faces from few photographs:')
    .option(
      '--ema <decay>',
      "decay of a moving average of the generator's weights for samples and exports, such as 0.999; 0: off",
      decimal(),
      0,
    )
    .option('--mirror', 'mirror images at random, with probability 1/2')
    .addOption(
      new Option(
        '--augment [names]',
        `augment real and generated images for the discriminator: ${AUGMENTATIONS.join()} (all), or some of them`,
      )
        .preset(AUGMENTATIONS.join())
        .argParser((list) => augmentationsOf(list).join()),
    )
    .option(
      '--r1 <gamma>',
      'weight of the R1 gradient penalty at real images, such as 1; 0: off',
      decimal(),
      0,
    )
    .optionsGroup('Output and monitoring:')
    .option('--run-dir <dir>', 'run directory (default: the next number in runs/)')
    .option(
      '--auto-resume',
      'resume the run in --run-dir if there is one, otherwise start it (for service managers)',
    )
    .option('--resume <run>', 'resume the run in this directory, or from this checkpoint file')
    .option('--sample-every <steps>', 'steps between sample grids; 0: only at the end', whole(0), 100)
    .option('--checkpoint-every <steps>', 'steps between checkpoints; 0: only at the end', whole(0), 500)
    .option('--keep-checkpoints <n>', 'number of newest checkpoints to keep', whole(1), 3)
    .option(
      '--evaluate-every <steps>',
      'steps between evaluations of samples, in the background; 0: none',
      whole(0),
      0,
    )
    .option(
      '--http <host:port>',
      'address of the metrics and page server; other machines require --http-token',
      '127.0.0.1:9464',
    );
  return addHttpTokenOptions(command)
    .option('--no-http', 'disable the metrics and page server')
    .addOption(new Option('--log <format>', 'log format').choices(LOG_FORMATS).default('text'))
    .option('--dry-run', 'print all options as resolved, and exit');
}

export interface HttpTokenArguments {
  /** Never written or printed. */
  readonly httpToken?: Secret;
  /** The path of a file that holds it. */
  readonly httpTokenFile?: string;
}

/** Options of the HTTP token, of a run and of `coordinator view`. */
export function addHttpTokenOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--http-token <token>', 'bearer token that HTTP clients must send')
        .env('DCGAN_HTTP_TOKEN')
        .argParser((token) => new Secret(token)),
    )
    .option(
      '--http-token-file <file>',
      'file with the bearer token, such as http.token of `coordinator keys`',
    );
}

/** Those that decide the structure of the networks. */
export function addModelOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--architecture <name>', "generator of the paper or of PyTorch's tutorial")
        .choices(ARCHITECTURES)
        .default('paper'),
    )
    .addOption(
      new Option('--image-size <pixels>', 'image width and height in pixels')
        .choices(IMAGE_SIZES.map(String))
        .default(64)
        .argParser(imageSize),
    )
    .option('--latent-size <n>', 'length of the noise vector', whole(1), 100)
    .option(
      '--generator-features <n>',
      'channels of the last feature map (paper: twice as many)',
      whole(1),
      64,
    )
    .option('--discriminator-features <n>', 'channels of the first feature map', whole(1), 64);
}

const seconds = decimal('from 0.5 to 3600', (value) => value >= 0.5 && value <= 3600);

const share = decimal('from 0 to 1', (value) => value >= 0 && value <= 1);

export function imageSize(text: string): ImageSize {
  const size = IMAGE_SIZES.find((known) => String(known) === text);
  if (size === undefined) throw new InvalidArgumentError(`Allowed choices are ${IMAGE_SIZES.join(', ')}.`);
  return size;
}
