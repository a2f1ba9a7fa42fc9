import { parsePrometheusText } from '../prometheus-text.js';
import { until } from '../wire/until.js';
import { freePort } from './free-port.js';
import type { Program } from './program.js';
import { SMALL, type Workplace } from './workplace.js';

/** A coordinator whose workers come from elsewhere, and the metrics that it serves. */
export class ExternalRun {
  private constructor(
    readonly program: Program,
    /** Where workers connect to. */
    readonly address: string,
    private readonly metricsUrl: string,
  ) {}

  /** `options` besides those of the small network. It listens at a free port. */
  static start(workplace: Workplace, runFolder: string, options: readonly string[]): Promise<ExternalRun> {
    const training = ['train', '--data', workplace.images, ...SMALL, '--run-dir', runFolder];
    return ExternalRun.#listening(workplace, [...training, ...options]);
  }

  /** A run that was begun in another way, and goes on with workers from elsewhere. */
  static resume(workplace: Workplace, runFolder: string, options: readonly string[]): Promise<ExternalRun> {
    return ExternalRun.#listening(workplace, ['train', '--resume', runFolder, ...options]);
  }

  static async #listening(workplace: Workplace, args: readonly string[]): Promise<ExternalRun> {
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const http = `127.0.0.1:${await freePort()}`;
    const program = workplace.start([...args, '--external', '--listen', address, '--http', http]);
    await program.line(/^waiting for \d+ workers?: /);
    return new ExternalRun(program, address, `http://${http}/metrics`);
  }

  /** The run of a coordinator that has ended, at the same addresses. */
  resumed(workplace: Workplace, runFolder: string): ExternalRun {
    return new ExternalRun(workplace.start(['train', '--resume', runFolder]), this.address, this.metricsUrl);
  }

  /** What each series has now: dcgan_workers{state="ready"} and so on. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const families = parsePrometheusText(await (await fetch(this.metricsUrl)).text());
    return new Map([...families.values()].flatMap(({ samples }) => [...samples]));
  }

  /** How many workers were lost so far, for whatever reason. */
  async losses(): Promise<number> {
    const counts = [...(await this.metrics())].filter(([name]) =>
      name.startsWith('dcgan_worker_losses_total'),
    );
    return counts.reduce((sum, [, count]) => sum + count, 0);
  }

  /** Waits until so many workers can take part. */
  async ready(workers: number): Promise<void> {
    await until(
      `${workers} workers`,
      async () => (await this.metrics()).get('dcgan_workers{state="ready"}') === workers,
    );
  }
}
