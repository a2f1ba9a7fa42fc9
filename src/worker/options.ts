import { Command, InvalidArgumentError, Option } from 'commander';
import { ENGINE_CHOICES, type EngineChoice } from '../engine/engine.js';

export interface WorkerOptions {
  /** ZeroMQ address of the coordinator. */
  readonly coordinator: string;
  /** This machine's copy of the run's image folder; without it the images come from the coordinator. */
  readonly data: string | undefined;
  readonly engine: EngineChoice;
  /** Seconds to wait for a coordinator that does not answer. */
  readonly connectTimeout: number;
  /** Seconds to wait for a coordinator that was lost. */
  readonly reconnectTimeout: number;
}

export function workerCommand(run: (options: WorkerOptions) => Promise<void>): Command {
  return new Command('worker')
    .description('Computes gradients for a coordinator on one device.')
    .addOption(
      new Option(
        '--coordinator <address>',
        'where the coordinator listens, such as tcp://10.0.0.1:5555',
      ).makeOptionMandatory(),
    )
    .option(
      '--data <dir>',
      "this machine's copy of the run's image folder; without it the coordinator sends the images",
    )
    .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_CHOICES).default('auto'))
    .option(
      '--connect-timeout <seconds>',
      'how long to wait for a coordinator that does not answer',
      positive,
      60,
    )
    .option(
      '--reconnect-timeout <seconds>',
      'how long to wait for a coordinator that was lost, to go on with its run',
      positive,
      600,
    )
    .action((given: Omit<WorkerOptions, 'data'> & { data?: string }) => run({ data: undefined, ...given }));
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}
