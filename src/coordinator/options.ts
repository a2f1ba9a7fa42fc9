import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Summation } from '../averaging/order-of-sums.js';
import { WIRE_FORMATS, type WireFormat } from '../averaging/wire-format.js';
import { LOG_FORMATS, type LogFormat } from '../common/log.js';
import { decimal, whole } from '../common/numbers.js';
import { Secret } from '../common/secret.js';
import { DEFAULT_MAX_BROKEN_SHARE } from '../data/index.js';
import { ENGINE_CHOICES, PRECISIONS, type EngineChoice, type Precision } from '../engine/engine.js';
import { TOPOLOGIES, type Topology } from './topology.js';
import { FALLBACKS, type Fallback } from './fallback.js';
import { ARCHITECTURES, IMAGE_SIZES, type Architecture, type ImageSize } from '../model/architecture.js';
import { AUGMENTATIONS, augmentationsOf } from '../model/refinements.js';

/** What can be typed after `coordinator train`, with defaults filled in. Undefined: to be settled by settle-options. */
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
  /** Of a run that goes on. */
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
  /** As in `Refinements`. */
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
    .option('--follow-links', 'of --data, follow also links that lead out of the folder')
    .option(
      '--max-broken <share>',
      'share of broken images to put up with, 0 to 1',
      share,
      DEFAULT_MAX_BROKEN_SHARE,
    )
    .optionsGroup('Who computes:')
    .option(
      '--workers <n>',
      'worker processes (default: one for each GPU, where there are several)',
      whole(1),
    )
    .option('--single-node', 'train in this process alone (default where there is no second GPU)')
    .option('--external', 'wait for workers that are started elsewhere')
    .option('--min-workers <n>', 'with fewer, training waits for others', whole(1), 1)
    .option('--max-workers <n>', 'most workers at once, from elsewhere (default: workers)', whole(1))
    .addOption(
      new Option('--fallback <what>', 'when no worker is left: go on alone, wait for workers, or stop')
        .choices(FALLBACKS)
        .default('single-node'),
    )
    .addOption(
      new Option('--topology <name>', 'which way gradients go: through the coordinator, or among the workers')
        .choices(TOPOLOGIES)
        .default('auto'),
    )
    .option('--no-shared-memory', 'send gradients as messages between processes of one machine too')
    .addOption(
      new Option(
        '--wire <format>',
        'how gradients are sent: rounded to fewer bits, or not; part of the result',
      )
        .choices(WIRE_FORMATS)
        .default('fp32'),
    )
    .option(
      '--liveness-timeout <seconds>',
      'silence after which a worker counts as lost; a long step is no silence',
      seconds,
      10,
    )
    .option(
      '--listen <address>',
      'where workers connect to; beyond this machine with --keys (default: with --external a free port on 127.0.0.1)',
    )
    .option(
      '--keys <dir>',
      'encrypt, and admit only workers whose public key is in this folder: see `coordinator keys`',
      (path) => resolve(path),
    )
    .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_CHOICES).default('auto'))
    .option('--threads <n>', 'threads for a shard, part of the result (default: cores / shards)', whole(1))
    .addOption(
      new Option('--precision <name>', 'of convolutions and matrix products; the rest is fp32')
        .choices(PRECISIONS)
        .default('fp32'),
    )
    .option('--eager', 'native engine: run operation by operation instead of as a recorded graph (slower)')
    .optionsGroup('What is trained:');
  addModelOptions(command)
    .option(
      '--init <path>',
      'begin with these weights: a folder of `coordinator export`, or a safetensors file of PyTorch',
      (path) => resolve(path),
    )
    .optionsGroup('How it is trained:')
    .option('--batch-size <images>', 'images of a whole batch, over all shards', whole(1), 128)
    .option('--accumulate <n>', 'batches of a step, one after the other; part of the result', whole(1), 1)
    .option(
      '--local-steps <k>',
      'steps that shards train alone before their states are averaged; samples, checkpoints and the end wait for that; part of the result',
      whole(1),
      1,
    )
    .option('--shards <n>', 'equal parts of a batch; part of the result (default: workers)', whole(1))
    .option('--epochs <n>', 'passes over the images', whole(1), 5)
    .option('--steps <n>', 'steps in all, instead of epochs', whole(1))
    .option('--seed <n>', 'decides weights, noise, order of images', whole(0), 0)
    .option('--learning-rate <rate>', "Adam's step size", decimal(), 2e-4)
    .option('--beta1 <rate>', "decay of Adam's first moment", decimal(), 0.5)
    .optionsGroup('Better faces from few photographs:')
    .option(
      '--ema <decay>',
      "draw and export with a moving average of the generator's weights, such as 0.999; 0: with the newest",
      decimal(),
      0,
    )
    .option('--mirror', 'mirror every other image, by chance')
    .addOption(
      new Option(
        '--augment [names]',
        `change what the discriminator sees, real and generated: ${AUGMENTATIONS.join()} (all), or some of them`,
      )
        .preset(AUGMENTATIONS.join())
        .argParser((list) => augmentationsOf(list).join()),
    )
    .option(
      '--r1 <gamma>',
      "penalty on the discriminator's gradient at real images, such as 1; 0: none",
      decimal(),
      0,
    )
    .optionsGroup('What it leaves and shows:')
    .option('--run-dir <dir>', "the run's directory (default: the next number in runs/)")
    .option(
      '--auto-resume',
      'go on with the run in --run-dir, where there is one: for who starts it again by itself',
    )
    .option('--resume <run>', 'go on with the run in this directory, or from this checkpoint file of it')
    .option('--sample-every <steps>', 'between sample grids; 0: only at the end', whole(0), 100)
    .option('--checkpoint-every <steps>', 'between checkpoints; 0: only at the end', whole(0), 500)
    .option('--keep-checkpoints <n>', 'newest checkpoints that are kept', whole(1), 3)
    .option(
      '--evaluate-every <steps>',
      'between evaluations of samples, beside training; 0: none',
      whole(0),
      0,
    )
    .option(
      '--http <host:port>',
      'where metrics and the page of the run are served; beyond this machine with --http-token',
      '127.0.0.1:9464',
    );
  return addHttpTokenOptions(command)
    .option('--no-http', 'serve neither')
    .addOption(new Option('--log <format>', 'lines for people, or JSON').choices(LOG_FORMATS).default('text'))
    .option('--dry-run', 'print all options as resolved, and end');
}

export interface HttpTokenArguments {
  /** Never written or printed. */
  readonly httpToken?: Secret;
  /** The path of a file that holds it. */
  readonly httpTokenFile?: string;
}

/** What guards HTTP, of a run and of `coordinator view`. */
export function addHttpTokenOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--http-token <token>', 'what readers of HTTP have to send as a bearer token')
        .env('DCGAN_HTTP_TOKEN')
        .argParser((token) => new Secret(token)),
    )
    .option('--http-token-file <file>', 'a file that holds it, such as http.token of `coordinator keys`');
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
      new Option('--image-size <pixels>', 'width and height of an image')
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
