import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stepsDone } from '../support/trainer/run-results.js';
import { until } from '../support/wire/until.js';
import type { WithConditions } from './live-objects.js';
import type { Place } from './place.js';

/** Of a whole run on a machine that others use too; and how often to look. Milliseconds. */
const PATIENCE = [420_000, 500] as const;

/** Its folder on the volume. */
const RUN = 'dcgan';

/** A run in the pods of a place. */
export class PodRun {
  private constructor(
    private readonly place: Place,
    private readonly overlay: 'jobset' | 'indexed-job',
  ) {}

  /** Applies an overlay of the tests. */
  static async start(place: Place, overlay: 'jobset' | 'indexed-job'): Promise<PodRun> {
    const { code, stderr } = await place.applyFolder(`test/cluster/overlays/${overlay}`);
    if (code !== 0) throw new Error(stderr);
    return new PodRun(place, overlay);
  }

  /** Removes the pods of whatever run is left in a place, and what it wrote. */
  static async clear(place: Place): Promise<void> {
    await PodRun.#removePods(place);
    await rm(join(place.volume, RUN), { recursive: true, force: true });
  }

  static async #removePods({ kubectl }: Place): Promise<void> {
    const all = ['jobsets,jobs', '--all', '--cascade=foreground', '--wait=true', '--timeout=170s'];
    await kubectl.run(['delete', ...all]);
  }

  /** Where the coordinator writes it, seen from this machine. */
  get folder(): string {
    return join(this.place.volume, RUN);
  }

  /** Waits until so many steps more are done. */
  async step(more: number): Promise<void> {
    const from = await stepsDone(this.folder);
    await this.#watch(`${more} more steps`, async () => (await stepsDone(this.folder)) >= from + more);
  }

  /** Waits until Kubernetes says that the run is over and was good. */
  async end(): Promise<void> {
    const [what, good] =
      this.overlay === 'jobset' ? ['jobset/dcgan', 'Completed'] : ['job/dcgan-coordinator', 'Complete'];
    await this.#watch(`${what} to be ${good}`, async () => {
      const { status } = await this.place.kubectl.json<WithConditions>(['get', what]);
      const reached =
        status?.conditions?.filter((one) => one.status === 'True').map(({ type }) => type) ?? [];
      if (reached.includes('Failed')) throw new Error(`${what} has failed`);
      return reached.includes(good);
    });
  }

  /** How often JobSet has made all pods anew. */
  async restarts(): Promise<number> {
    const { status } = await this.place.kubectl.json<WithConditions>(['get', 'jobset', 'dcgan']);
    return status?.restarts ?? 0;
  }

  async token(): Promise<string> {
    const path = '-o=jsonpath={.data.http\\.token}';
    return Buffer.from(await this.place.kubectl.run(['get', 'secret', 'dcgan-coordinator', path]), 'base64')
      .toString()
      .trim();
  }

  async newestCheckpoint(): Promise<string | undefined> {
    return (await readdir(join(this.folder, 'checkpoints'))).sort().at(-1);
  }

  /** Removes its pods; what it wrote goes to another folder. */
  async keepAs(folder: string): Promise<void> {
    await PodRun.#removePods(this.place);
    await rename(this.folder, folder);
  }

  /** Shows what the pods say where it is waited for in vain. */
  async #watch(what: string, look: () => Promise<boolean>): Promise<void> {
    try {
      await until(what, look, ...PATIENCE);
    } catch (error) {
      const { kubectl } = this.place;
      const selector = ['-l', 'app.kubernetes.io/instance=dcgan'];
      for (const args of [
        ['get', 'jobsets,jobs,pods', '-o', 'wide'],
        ['logs', ...selector, '--prefix', '--tail=40'],
        ['get', 'events', '--sort-by=.lastTimestamp'],
      ])
        console.error((await kubectl.try(args)).stdout);
      throw error;
    }
  }
}
