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
      what: 'connect to a coordinator on another machine, with its keys (coordinator keys)',
      line: 'worker --coordinator tcp://10.0.0.1:5555 --keys ~/dcgan-keys',
    },
    {
      what: 'use a local copy of the images and the second GPU',
      line: 'CUDA_VISIBLE_DEVICES=1 worker --coordinator tcp://10.0.0.1:5555 \\\n  --keys ~/dcgan-keys --data ~/faces',
    },
    {
      what: "on the coordinator's machine, as the same user",
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
        'address of the coordinator, such as tcp://10.0.0.1:5555',
      ).makeOptionMandatory(),
    )
    .option(
      '--data <dir>',
      "local copy of the run's image folder; without it, the coordinator sends the images",
    )
    .option('--follow-links', 'follow links that lead out of the --data folder', false)
    .option(
      '--keys <dir>',
      "folder with coordinator.key and this worker's NAME.key_secret (for a coordinator with --keys)",
    )
    .option('--key-name <name>', "name of this worker's key in --keys (default: the only key there)")
    .addOption(new Option('--engine <name>', 'engine that computes').choices(ENGINE_CHOICES).default('auto'))
    .option(
      '--connect-timeout <seconds>',
      'seconds to wait for a coordinator that does not respond',
      positive,
      60,
    )
    .option(
      '--reconnect-timeout <seconds>',
      'seconds to wait for a lost coordinator to come back',
      positive,
      600,
    )
    .option(
      '--grace <seconds>',
      'seconds to stay after SIGTERM, so that a coordinator that is stopped too can copy the state',
      notNegative,
      10,
    )
    .option('--peer-port <n>', 'port for workers on other machines; 0: any free port', port, 0)
    .addOption(new Option('--log <format>', 'log format').choices(LOG_FORMATS).default('text'))
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
