import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from '../support/trainer/program.js';
import { until } from '../support/wire/until.js';
import { Kubectl, type Answer } from './kubectl.js';
import type { List, Pod } from './live-objects.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The user and group that the pods run as. */
export const USER = 10001;

/** A namespace with all that a run needs besides its manifests: restricted pod security, keys, and a volume to claim. */
export class Place {
  readonly kubectl: Kubectl;

  private constructor(
    readonly name: string,
    /** Removed with the place. */
    private readonly folder: string,
  ) {
    this.kubectl = new Kubectl(name);
  }

  static async make(name: string): Promise<Place> {
    const place = new Place(name, await mkdtemp(join(tmpdir(), 'dcgan-cluster-')));
    const labels = Object.fromEntries(
      ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
    );
    await place.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    await place.kubectl.apply(await place.#secrets());
    await mkdir(place.volume);
    await place.kubectl.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '20Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: name, name: 'dcgan-runs' },
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: place.volume },
      },
    });
    return place;
  }

  /** What the claim of the run gets: a folder of this machine. */
  get volume(): string {
    return join(this.folder, 'volume');
  }

  /** Applies a folder of the project, as `kubectl apply -k`. */
  applyFolder(path: string, ...options: string[]): Promise<Answer> {
    return this.kubectl.try(['apply', '-k', join(root, path), ...options]);
  }

  /** The run's pods of a component, or all, but those that are being removed. */
  async pods(component?: 'coordinator' | 'worker'): Promise<readonly Pod[]> {
    const labels = ['app.kubernetes.io/instance=dcgan'];
    if (component) labels.push(`app.kubernetes.io/component=${component}`);
    const { items } = await this.kubectl.json<List<Pod>>(['get', 'pods', '-l', labels.join(',')]);
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Waits until so many of them run, and returns these. */
  running(count: number, component?: 'coordinator' | 'worker', limit = 120_000): Promise<readonly Pod[]> {
    return until(
      `${count} running pods of ${component ?? 'the run'}`,
      async () => {
        const running = (await this.pods(component)).filter(({ status }) => status.phase === 'Running');
        return running.length === count ? running : undefined;
      },
      limit,
      500,
    );
  }

  /** Ends its run. The namespace goes with the cluster: collecting all that is in it takes a minute. */
  async leave(): Promise<void> {
    await this.kubectl.run(['delete', 'jobsets,jobs', '--all', '--wait=false']);
    await rm(this.folder, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    // First what would make pods anew in a namespace that goes away.
    await this.kubectl.run([
      ...['delete', 'jobsets,jobs', '--all', '--cascade=foreground', '--wait=true', '--timeout=150s'],
    ]);
    await this.kubectl.run(['delete', 'namespace', this.name, '--wait=true', '--timeout=150s']);
    await this.kubectl.run(['delete', 'persistentvolume', this.name, '--wait=false']);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** From the generator that users take. */
  async #secrets(): Promise<string> {
    const args = ['keys', join(this.folder, 'keys'), '--kubernetes'];
    const program = Program.start('coordinator', args, { cwd: this.folder, env: process.env });
    const { code, stdout, lines } = await program.ended();
    if (code !== 0) throw new Error(lines.join('\n'));
    return stdout;
  }
}
