import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseArchive } from './base-image.js';
import { buildSecrets } from './build-secrets.js';
import { mustRun, runCommand, type Output } from './run-command.js';

/** Beside dist/. */
export const CLONE = fileURLToPath(new URL('../../../../', import.meta.url));

const BASE = 'localhost/dcgan-test-base:bookworm';
export const IMAGE = 'localhost/dcgan-test:cpu';

const BUILD_LIMIT = 1_200_000;
const LIMIT = 120_000;

/** What every container of the image is run with. */
export const HARDENED: readonly string[] = [
  ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--tmpfs', '/cache'],
];

/**
 * podman and buildah with images, containers, volumes and networks in a folder of their own, so that they neither see
 * nor leave any of the machine's.
 */
export class ContainerHost {
  /** The build's secrets have it in them. */
  #mark = '';

  private constructor(
    readonly folder: string,
    private readonly storage: readonly string[],
  ) {}

  static async open(): Promise<ContainerHost> {
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-containers-'));
    const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
    const host = new ContainerHost(folder, storage);
    await mkdir(join(folder, 'bin'));
    await mkdir(join(folder, 'networks'));
    // Other tools that call podman get ours.
    const podman = (await mustRun(['sh', '-c', 'command -v podman'], { limit: LIMIT })).trim();
    await writeFile(join(folder, 'bin/podman'), `#!/bin/sh\nexec ${podman} ${storage.join(' ')} "$@"\n`);
    await chmod(join(folder, 'bin/podman'), 0o755);
    await writeFile(join(folder, 'containers.conf'), settings(folder));
    return host;
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: [join(this.folder, 'bin'), process.env['PATH']].join(delimiter),
      CONTAINERS_CONF: join(this.folder, 'containers.conf'),
    };
  }

  get mark(): string {
    return this.#mark;
  }

  /** Builds the image for CPUs on a plain Debian, as docs/containers.md says. */
  async buildImage(): Promise<void> {
    await this.podman('import', await baseArchive(), BASE);
    const { mark, options } = await buildSecrets(this.folder);
    this.#mark = mark;
    await this.build([...options, '--target', 'cpu', '--file', 'deploy/Dockerfile'], IMAGE);
  }

  /** An image of the base and a few files of this machine. */
  async buildSmall(tag: string, lines: readonly string[]): Promise<void> {
    const file = join(this.folder, 'Dockerfile');
    await writeFile(file, ['ARG BASE', 'FROM ${BASE}', ...lines, ''].join('\n'));
    await this.build(['--file', file], tag, join(this.folder, 'context'));
  }

  /** To its end; it has to succeed. Returns its stdout. */
  podman(...args: readonly string[]): Promise<string> {
    return mustRun(['podman', ...args], { env: this.env, limit: LIMIT });
  }

  /** A container, to its end. */
  run(options: readonly string[], command: readonly string[]): Promise<Output> {
    const args = ['run', '--rm', '--no-healthcheck', ...HARDENED, ...options, IMAGE, ...command];
    return runCommand(['podman', ...args], { env: this.env, limit: LIMIT });
  }

  /** What a container has written to either stream so far. */
  async logs(name: string): Promise<string> {
    const { stdout, stderr } = await runCommand(['podman', 'logs', name], { env: this.env, limit: LIMIT });
    return stdout + stderr;
  }

  /** Runs its health check now. */
  async isHealthy(name: string): Promise<boolean> {
    const command = ['podman', 'healthcheck', 'run', name];
    return (await runCommand(command, { env: this.env, limit: LIMIT })).code === 0;
  }

  /** Removes all of it. */
  async close(): Promise<void> {
    await runCommand(['podman', 'rm', '--all', '--force', '--time', '5', '--volumes'], {
      env: this.env,
      limit: LIMIT,
    });
    // Unmounts what is mounted, before the folder goes.
    await runCommand(['buildah', ...this.storage, 'rm', '--all'], { env: this.env, limit: LIMIT });
    const mounts = await readFile('/proc/self/mounts', 'utf8');
    for (const path of mountsBelow(mounts, this.folder)) await mustRun(['umount', path], { limit: LIMIT });
    await rm(this.folder, { recursive: true, force: true });
  }

  private async build(options: readonly string[], tag: string, context = CLONE): Promise<void> {
    await mkdir(context, { recursive: true });
    const common = ['--isolation', 'chroot', '--format', 'docker', '--build-arg', `BASE=${BASE}`];
    const command = ['buildah', ...this.storage, 'bud', ...common, ...options, '--tag', tag, context];
    await mustRun(command, { cwd: CLONE, env: this.env, limit: BUILD_LIMIT });
  }
}

/** crun refuses some machines' control groups, and not every machine permits podman's own limits. */
function settings(folder: string): string {
  return `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
[network]
network_backend = "netavark"
network_config_dir = "${join(folder, 'networks')}"
`;
}

/** Innermost first. */
function mountsBelow(mounts: string, folder: string): string[] {
  return mounts
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}
