import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { freePort } from '../trainer/free-port.js';
import { Program } from '../trainer/program.js';
import type { Workplace } from '../trainer/workplace.js';
import { until } from '../wire/until.js';
import { MONITORING } from './folder.js';
import { runTool } from './tool.js';

/** Engines load, and a worker is started again, on a machine that others use too. In milliseconds. */
const LIMIT = 60_000;

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds, and the value as text. */
  readonly value: readonly [number, string];
}

export interface Target {
  readonly health: string;
  readonly lastError: string;
}

export interface RaisedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A Prometheus with the project's configuration, but for how often it looks. It ends with the workplace. */
export class PrometheusServer {
  private constructor(private readonly url: string) {}

  static async start(
    workplace: Workplace,
    { target, token, interval }: { target: string; token: string; interval: string },
  ): Promise<PrometheusServer> {
    await runTool('prometheus', ['--version']);
    const folder = workplace.path('prometheus');
    await cp(MONITORING, folder, { recursive: true });
    await writeFile(join(folder, 'http.token'), `${token}\n`);
    await writeFile(join(folder, 'coordinators.yml'), stringify([{ targets: [target] }]));
    const path = join(folder, 'prometheus.yml');
    const config = parse(await readFile(path, 'utf8')) as object;
    const global = { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval };
    await writeFile(path, stringify({ ...config, global }));
    const storage = join(folder, 'storage');
    await mkdir(storage);
    const address = `127.0.0.1:${await freePort()}`;
    const program = Program.run(
      [
        'prometheus',
        `--config.file=${path}`,
        `--storage.tsdb.path=${storage}`,
        `--web.listen-address=${address}`,
      ],
      workplace.place(),
    );
    workplace.add(program);
    await program.line(/Server is ready to receive web requests/);
    return new PrometheusServer(`http://${address}/api/v1`);
  }

  /** What a query finds now. Rejects with what Prometheus says where it is none. */
  async query(expr: string): Promise<Series[]> {
    const { result } = await this.#get<{ result: Series[] }>('query', { query: expr });
    return result;
  }

  /** Those that are pending or firing. */
  async alerts(): Promise<readonly RaisedAlert[]> {
    return (await this.#get<{ alerts: RaisedAlert[] }>('alerts', {})).alerts;
  }

  async targets(): Promise<readonly Target[]> {
    return (await this.#get<{ activeTargets: Target[] }>('targets', {})).activeTargets;
  }

  /** Waits until a query finds something. */
  async found(expr: string): Promise<Series[]> {
    const look = async (): Promise<Series[] | undefined> => {
      const series = await this.query(expr);
      return series.length > 0 ? series : undefined;
    };
    return until(expr, look, LIMIT);
  }

  async #get<Data>(page: string, parameters: Record<string, string>): Promise<Data> {
    const response = await fetch(`${this.url}/${page}?${new URLSearchParams(parameters).toString()}`, {
      signal: AbortSignal.timeout(10_000),
    });
    const { data, error } = (await response.json()) as { data: Data; error?: string };
    if (error !== undefined) throw new Error(`${error}: ${JSON.stringify(parameters)}`);
    return data;
  }
}
