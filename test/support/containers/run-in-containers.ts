import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../trainer/free-port.js';
import { SMALL } from '../trainer/workplace.js';
import { CLONE, HARDENED, IMAGE, type ContainerHost } from './container-host.js';

/** The image's own. */
const USER = 1000;

export interface Ended {
  readonly code: number;
  readonly lines: string;
}

/** A run of a coordinator and two workers, each in a container, with keys, over this machine's loopback. */
export class RunInContainers {
  private constructor(
    private readonly host: ContainerHost,
    readonly folder: string,
    private readonly images: string,
    private readonly address: string,
  ) {}

  static async prepare(host: ContainerHost, images: string): Promise<RunInContainers> {
    const folder = join(host.folder, 'run-in-containers');
    await mkdir(folder);
    await chmod(folder, 0o755);
    for (const name of ['runs', 'coordinator', 'worker', 'metrics']) {
      await mkdir(join(folder, name), { mode: 0o700 });
      await chown(join(folder, name), USER, USER);
    }
    const keys = ['coordinator', 'worker', 'metrics'].flatMap((name) => [
      '--volume',
      `${join(folder, name)}:/keys/${name}`,
    ]);
    const script = '/opt/dcgan/app/deploy/image/make-keys.sh';
    const monitoring = ['--volume', `${join(CLONE, 'deploy/monitoring')}:/monitoring:ro`];
    const { code, stderr } = await host.run([...keys, ...monitoring, '--network', 'none'], ['sh', script]);
    if (code !== 0) throw new Error(`no keys: ${stderr}`);
    return new RunInContainers(host, folder, images, `tcp://127.0.0.1:${await freePort()}`);
  }

  /** Its directory, on this machine. */
  get run(): string {
    return join(this.folder, 'runs/run');
  }

  /** Containers of the same command go on with the same run: that is --auto-resume. */
  async start(options: readonly string[]): Promise<void> {
    await this.#start(
      'coordinator',
      [`${this.images}:/data:ro`, `${this.folder}/runs:/runs`],
      [
        ...['coordinator', 'train', '--data', '/data', ...SMALL, '--shards', '2', '--no-http'],
        ...['--external', '--workers', '2', '--listen', this.address, '--keys', '/keys'],
        ...['--fallback', 'wait', '--run-dir', '/runs/run', '--auto-resume', ...options],
      ],
    );
    for (const name of ['worker-1', 'worker-2'])
      await this.#start(
        name,
        [],
        [...['worker', '--coordinator', this.address, '--keys', '/keys', '--grace', '60']],
      );
  }

  /** SIGTERM to all of them at once, as when a machine shuts down. */
  async stop(): Promise<void> {
    await this.host.podman('stop', '--time', '60', ...NAMES);
  }

  /** Waits for the ends of all of them, and removes them. Keyed by the container's name. */
  async ended(): Promise<ReadonlyMap<string, Ended>> {
    const endings = new Map<string, Ended>();
    for (const name of NAMES) {
      const code = Number(await this.host.podman('wait', name));
      endings.set(name, { code, lines: await this.host.logs(name) });
    }
    await this.host.podman('rm', '--volumes', ...NAMES);
    return endings;
  }

  async #start(name: string, volumes: readonly string[], command: readonly string[]): Promise<void> {
    const keys = name === 'coordinator' ? 'coordinator' : 'worker';
    await this.host.podman(
      ...['run', '--detach', '--name', name, '--no-healthcheck', ...HARDENED],
      ...['--network', 'host', '--hostname', name],
      ...[...volumes, `${join(this.folder, keys)}:/keys:ro`].flatMap((volume) => ['--volume', volume]),
      ...[IMAGE, ...command],
    );
  }
}

const NAMES = ['coordinator', 'worker-1', 'worker-2'] as const;
