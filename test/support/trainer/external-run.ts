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

  /** `options` besides those of the small network; it listens at `address`, or at a free port. */
  static async start(
    workplace: Workplace,
    runFolder: string,
    options: readonly string[],
    address?: string,
  ): Promise<ExternalRun> {
    const [port, httpPort] = [await freePort(), await freePort()];
    const listen = address ?? `tcp://127.0.0.1:${port}`;
    const program = workplace.start([
      ...['train', '--data', workplace.images, ...SMALL, '--run-dir', runFolder, '--external'],
      ...['--listen', listen, '--http', `127.0.0.1:${httpPort}`, ...options],
    ]);
    await program.line(/^waiting for \d+ workers?: /);
    return new ExternalRun(program, listen, `http://127.0.0.1:${httpPort}/metrics`);
  }

  /** What each series has now: dcgan_workers{state="ready"} and so on. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const families = parsePrometheusText(await (await fetch(this.metricsUrl)).text());
    return new Map([...families.values()].flatMap(({ samples }) => [...samples]));
  }

  /** Waits until so many workers can take part. */
  async ready(workers: number): Promise<void> {
    await until(
      `${workers} workers`,
      async () => (await this.metrics()).get('dcgan_workers{state="ready"}') === workers,
    );
  }
}
