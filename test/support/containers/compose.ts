import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../trainer/free-port.js';
import { ENDLESS, SMALL } from '../trainer/workplace.js';
import { CLONE, IMAGE, type ContainerHost } from './container-host.js';
import { mustRun } from './run-command.js';

const VERSION = '1.6.0';
const PROJECT = 'dcgan-test';
const PROMETHEUS = 'localhost/dcgan-test-prometheus:debian';
/** All but Grafana, of which there is no Debian package. */
const SERVICES = ['keys', 'coordinator', 'worker', 'prometheus'] as const;
const LIMIT = 240_000;

/** deploy/compose.yaml with podman-compose, on the image under test. */
export class Compose {
  private constructor(
    private readonly host: ContainerHost,
    private readonly images: string,
    private readonly ports: { readonly coordinator: number; readonly prometheus: number },
  ) {}

  static async install(host: ContainerHost, images: string): Promise<Compose> {
    const packages = join(host.folder, 'compose');
    const pip = ['python3', '-m', 'pip', 'install', '--quiet', '--target', packages];
    await mustRun([...pip, `podman-compose==${VERSION}`], { limit: LIMIT });
    await mkdir(join(host.folder, 'context'), { recursive: true });
    // Debian's, in a place of the official image's kind.
    await copyFile('/usr/bin/prometheus', join(host.folder, 'context/prometheus'));
    await host.buildSmall(PROMETHEUS, [
      'COPY prometheus /usr/bin/',
      'RUN mkdir /prometheus && chown 65534 /prometheus',
      'USER 65534',
      'ENTRYPOINT ["/usr/bin/prometheus"]',
    ]);
    return new Compose(host, images, { coordinator: await freePort(), prometheus: await freePort() });
  }

  async up(): Promise<void> {
    await this.#compose('up', '--detach', '--no-build', ...SERVICES);
  }

  async down(...options: readonly string[]): Promise<void> {
    await this.#compose('down', ...options);
  }

  /** What a service has written so far. */
  logs(container: string): Promise<string> {
    return this.host.logs(`${PROJECT}_${container}`);
  }

  /** Where a volume is on this machine. */
  async volume(name: string): Promise<string> {
    const format = ['--format', '{{.Mountpoint}}'];
    return (await this.host.podman('volume', 'inspect', ...format, `${PROJECT}_${name}`)).trim();
  }

  async filesOf(volume: string): Promise<string[]> {
    return (await readdir(await this.volume(volume))).sort();
  }

  health(): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.ports.coordinator}/healthz`);
  }

  /** What Prometheus has of a series: its values. None before the first scrape, and while it starts. */
  async query(query: string): Promise<number[]> {
    const url = `http://127.0.0.1:${this.ports.prometheus}/api/v1/query?query=${encodeURIComponent(query)}`;
    // Before it listens there is nobody to ask.
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status !== 200) return [];
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
    return data.result.map(({ value }) => Number(value[1]));
  }

  /** Names of what podman has besides its own network. */
  async leftovers(): Promise<string[]> {
    const lists = await Promise.all([
      this.host.podman('ps', '--all', '--format', '{{.Names}}'),
      this.host.podman('volume', 'ls', '--format', '{{.Name}}'),
      this.host.podman('pod', 'ls', '--format', '{{.Name}}'),
      this.host.podman('network', 'ls', '--format', '{{.Name}}'),
    ]);
    return lists.flatMap((list) => list.split('\n')).filter((name) => name !== '' && name !== 'podman');
  }

  async #compose(...args: readonly string[]): Promise<void> {
    const program = join(this.host.folder, 'compose/podman_compose.py');
    const file = join(CLONE, 'deploy/compose.yaml');
    await mustRun(['python3', program, '--file', file, '--project-name', PROJECT, ...args], {
      limit: LIMIT,
      env: {
        ...this.host.env,
        PYTHONPATH: join(this.host.folder, 'compose'),
        DCGAN_IMAGE: IMAGE,
        DCGAN_DATA: this.images,
        DCGAN_OPTIONS: [...SMALL, ...ENDLESS].join(' '),
        DCGAN_HTTP_PORT: String(this.ports.coordinator),
        PROMETHEUS_IMAGE: PROMETHEUS,
        PROMETHEUS_PORT: String(this.ports.prometheus),
      },
    });
  }
}
