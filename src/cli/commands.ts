import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { addBriefHelp, typedName, withThoseBelow, type Guide } from '../common/brief-help.js';
import { UserError } from '../common/errors.js';
import { decimal, whole } from '../common/numbers.js';
import { PROJECT_VERSION } from '../common/process/version.js';
import { DEFAULT_FACES, drawFaces } from '../data/index.js';
import { IMAGE_SIZES, type ModelOptions } from '../model/architecture.js';
import { ENGINE_CHOICES, type EngineChoice } from '../engine/engine.js';
import { FLAVOURS } from '../engine/provision/index.js';
import { COMMAND_GUIDES } from './help-examples.js';
import { installEngine, printEngineStatus } from './engine.js';
import type { EvaluateArguments } from './evaluate-arguments.js';
import { generate } from './generate.js';
import { exportWeights } from './export.js';
import { EXPORT_FORMATS } from '../formats/weights-config.js';
import { printMade } from './keys.js';
import { printSecrets } from './kubernetes-secrets.js';
import {
  addHttpTokenOptions,
  addModelOptions,
  addTrainOptions,
  imageSize,
  type TrainArguments,
} from '../options/train-options.js';
import { printSummary } from './summary.js';
import { plot } from './plot.js';
import { taskProgress } from '../common/task-progress.js';
import { train } from './train.js';
import { view } from './view.js';

/** Everything that can be typed after `coordinator`. */
export function coordinatorCommand(): Command {
  const program = new Command('coordinator')
    .description('Trains a DCGAN: shards a face dataset across workers and averages their gradients.')
    .version(PROJECT_VERSION);

  addTrainOptions(program.command('train', { isDefault: true }))
    .description('train (what `coordinator` does without a command)')
    .allowExcessArguments()
    .action((given: TrainArguments, command: Command) => {
      if (command.args.length > 0) throw new UserError(`there is no command ${command.args[0]}: see --help`);
      const typed = Object.keys(given).filter((name) => command.getOptionValueSource(name) === 'cli');
      return train(given, new Set(typed));
    });

  addModelOptions(program.command('summary [run]'))
    .description('print the structure of both networks, of a run or of these options')
    .action((where: string | undefined, options: ModelOptions, command: Command) => {
      const typed = command.options.filter(
        (option) => command.getOptionValueSource(option.attributeName()) === 'cli',
      );
      if (where !== undefined && typed.length > 0)
        throw new UserError(`a run has its own ${String(typed[0].long)}: give a run, or options`);
      return printSummary(where, options);
    });

  program
    .command('plot <run>')
    .description(
      'regenerate the plots of a run: loss.png, losses.csv, GL.npy, DL.npy, samples.gif, samples.webp and real-vs-fake.png',
    )
    .option('--smooth <weight>', 'smoothing of the curves in loss.png: 0 (off) to below 1', weight, 0)
    .action(plot);

  addHttpTokenOptions(
    program
      .command('view <runs>')
      .description('serve the page of a run, or of all runs in a folder with their curves in one chart')
      .option('--http <host:port>', 'address; other machines require a token', '127.0.0.1:9465'),
  ).action(view);

  program
    .command('generate <run>')
    .description("generate faces from a run's newest checkpoint, or from a checkpoint file")
    .option('--count <n>', 'number of faces', wholeCount, 64)
    .option('--seed <n>', 'seed of the noise', wholeSeed, 0)
    .option('--seeds <seeds...>', 'generate the first face of each of these seeds', everySeed)
    .option(
      '--out <path>',
      'output image (.png, .webp; .gif for animations), or a folder with --each',
      'faces.png',
    )
    .option('--each', 'write one file per face')
    .option('--interpolate', 'interpolate from each face to the next, along the sphere')
    .option(
      '--between <seeds...>',
      'interpolate from the first face of one seed to that of another',
      everySeed,
    )
    .option('--frames <n>', 'frames from one face to the next', wholeCount, 30)
    .option(
      '--arithmetic <sum>',
      'arithmetic on faces as in the DCGAN paper: "1,2,3 - 4,5,6 + 7,8,9" with lists of seeds',
    )
    .addOption(new Option('--engine <name>', 'engine that computes').choices(ENGINE_CHOICES).default('auto'))
    .action(generate);

  program
    .command('evaluate <run>')
    .description(
      "evaluate the samples of a run's newest checkpoint, or the images in a folder (docs/evaluation.md)",
    )
    .option('--data <dir>', 'image folder of the real faces (default: the images of the run)', (path) =>
      resolve(path),
    )
    .option(
      '--count <n>',
      'number of samples and of real faces; use the same number to compare',
      wholeCount,
      1000,
    )
    .option('--seed <n>', 'seed that selects samples and real faces', wholeSeed, 0)
    .option('--step <n>', 'step of the checkpoint (default: the newest intact one)', wholeCount)
    .addOption(
      new Option('--image-size <pixels>', 'for a folder: size at which images are compared (default: 64)')
        .choices(IMAGE_SIZES.map(String))
        .argParser(imageSize),
    )
    .addOption(new Option('--engine <name>', 'engine that computes').choices(ENGINE_CHOICES).default('auto'))
    .option('--json', 'print JSON')
    .action(async (where: string, given: EvaluateArguments) => {
      // Linear algebra, which nothing else needs.
      const { evaluate } = await import('./evaluate.js');
      await evaluate(where, given);
    });

  program
    .command('export <run>')
    .description("export the networks of a run's newest checkpoint, or of a checkpoint file")
    .addOption(
      new Option(
        '--format <name>',
        "pytorch: both networks as state_dicts of the tutorial's classes; tfjs: the generator, for web pages",
      )
        .choices(EXPORT_FORMATS)
        .makeOptionMandatory(),
    )
    .requiredOption('--out <dir>', 'output folder, new or empty')
    .action(exportWeights);

  program
    .command('dataset <dir>')
    .description('write the drawn faces as an image folder')
    .option('--count <n>', 'number of faces', wholeCount, DEFAULT_FACES.count)
    .option('--seed <n>', 'seed of the noise', wholeSeed, DEFAULT_FACES.seed)
    .action(async (folder: string, { count, seed }: { count: number; seed: number }) => {
      const progress = taskProgress('drawing faces');
      await drawFaces({ folder, count, seed, onProgress: progress.update }).finally(progress.stop);
    });

  program
    .command('keys <dir>')
    .description('create keys for workers on other machines (train --keys, worker --keys)')
    .option(
      '--workers <names...>',
      'create a key pair for each name; existing keys stay (default: one pair, "worker")',
    )
    .addOption(
      new Option(
        '--kubernetes',
        'print the keys of the folder as Secrets for `kubectl apply -f -`, and create missing ones',
      ).conflicts('workers'),
    )
    .action((folder: string, { workers, kubernetes }: { workers?: string[]; kubernetes?: true }) =>
      kubernetes ? printSecrets(folder) : printMade(folder, workers),
    );

  const engine = program.command('engine').description('engine of this machine');
  engine
    .command('install')
    .description('install the native engine')
    .addOption(
      new Option('--flavour <name>', 'device to install for (default: the one of this machine)').choices(
        FLAVOURS,
      ),
    )
    .action(installEngine);
  engine
    .command('status')
    .description('print engine, version, devices and precision')
    .addOption(new Option('--engine <name>', 'engine to load').choices(ENGINE_CHOICES).default('auto'))
    .action(({ engine: choice }: { engine: EngineChoice }) => printEngineStatus(choice));
  for (const command of withThoseBelow(program)) {
    const guide = COMMAND_GUIDES[typedName(command)] as Guide | undefined;
    if (guide) addBriefHelp(command, guide);
  }
  return program;
}

const weight = decimal('from 0 to below 1', (value) => value >= 0 && value < 1);

const wholeCount = whole(1);

const wholeSeed = whole(0);

function everySeed(text: string, before: readonly number[] = []): number[] {
  return [...before, wholeSeed(text)];
}
