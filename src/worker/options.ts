import { Command, Option } from 'commander';
import { addBriefHelp, type Guide } from '../common/brief-help.js';
import { LOG_FORMATS, type LogFormat } from '../common/log.js';
import { decimal, whole } from '../common/numbers.js';
import { ENGINE_CHOICES, type EngineChoice } from '../engine/engine.js';

export interface WorkerOptions {
  /** ZeroMQ address of the coordinator. */
  readonly coordinator: string;
  /** This machine's copy of the run's image folder; without it the images come from the coordinator. */
  readonly data: string | undefined;
  /** Also links that lead out of that folder. */
  readonly followLinks: boolean;
  /** A folder with the coordinator's public key and this worker's own keys. */
  readonly keys: string | undefined;
  /** Whose keys of that folder; the only worker's by default. */
  readonly keyName: string | undefined;
  readonly engine: EngineChoice;
  /** Seconds to wait for a coordinator that does not answer. */
  readonly connectTimeout: number;
  /** Seconds to wait for a coordinator that was lost. */
  readonly reconnectTimeout: number;
  /** Seconds to stay after SIGTERM. */
  readonly grace: number;
  /** To listen at for workers of other machines; 0: any free one. */
  readonly peerPort: number;
  readonly log: LogFormat;
}

const GUIDE: Guide = {
  examples: [
    {
      what: 'of a coordinator on another machine, with keys from there (coordinator keys)',
      line: 'worker --coordinator tcp://10.0.0.1:5555 --keys ~/dcgan-keys',
    },
    {
      what: "with this machine's copy of the images, on its second GPU",
      line: 'CUDA_VISIBLE_DEVICES=1 worker --coordinator tcp://10.0.0.1:5555 \\\n  --keys ~/dcgan-keys --data ~/faces',
    },
    {
      what: 'on the machine of the coordinator, as the same user',
      line: 'worker --coordinator tcp://127.0.0.1:5555',
    },
  ],
  usual: ['--coordinator', '--data', '--keys', '--key-name', '--engine', '--connect-timeout'],
};

type Optional = 'data' | 'keys' | 'keyName';

export function workerCommand(run: (options: WorkerOptions) => Promise<void>): Command {
  const command = new Command('worker')
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
    .option('--follow-links', 'of --data, follow also links that lead out of the folder', false)
    .option(
      '--keys <dir>',
      "folder with coordinator.key and this worker's NAME.key_secret, for a coordinator with --keys",
    )
    .option('--key-name <name>', 'whose NAME.key_secret (default: the only one there)')
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
    .option(
      '--grace <seconds>',
      'how long to stay after SIGTERM, so that a coordinator which is told to end too can take the state',
      notNegative,
      10,
    )
    .option(
      '--peer-port <n>',
      'where workers of other machines connect to, when gradients go among workers; 0: any free port',
      port,
      0,
    )
    .addOption(new Option('--log <format>', 'lines for people, or JSON').choices(LOG_FORMATS).default('text'))
    .action(
      ({ data, keys, keyName, ...others }: Omit<WorkerOptions, Optional> & { [Name in Optional]?: string }) =>
        run({ data, keys, keyName, ...others }),
    );
  addBriefHelp(command, GUIDE);
  return command;
}

const positive = decimal('above 0', (value) => value > 0);

const port = whole(0, 65_535);

const notNegative = decimal('from 0 to 3600', (value) => value >= 0 && value <= 3600);
