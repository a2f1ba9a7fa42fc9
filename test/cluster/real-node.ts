import assert from 'node:assert/strict';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { parsePrometheusText } from '../support/prometheus-text.js';
import { expectSameRun, readNumbers, stepsDone } from '../support/trainer/run-results.js';
import { until } from '../support/wire/until.js';
import { controlPlane, REAL_NODE } from './cluster.js';
import { openImage } from './image.js';
import { Kubectl } from './kubectl.js';
import { has, type Pod } from './live-objects.js';
import { Place, USER } from './place.js';
import { PodRun } from './pod-run.js';

/** Of a whole run, with what disturbs it, on a machine that others use too; and how often to look. Milliseconds. */
const PATIENCE = [420_000, 1_000] as const;

/** Those of overlays/small. */
const STEPS = 6000;

describe('a coordinator and two workers in pods of a real node', () => {
  let place: Place;
  before(async () => {
    const image = await openImage();
    try {
      await controlPlane('node');
      await controlPlane('image', [image.archive]);
    } finally {
      await image.close();
    }
    place = await Place.make('real');
    // A folder of this machine does not get the group that a pod asks for.
    await chown(place.volume, USER, USER);
  });
  after(async () => {
    try {
      await place.remove();
    } finally {
      await controlPlane('down');
    }
  });

  afterEach(() => PodRun.clear(place));

  /** The numbers of a run that nothing happened to. */
  const quiet = (): string => join(place.volume, 'quiet');

  it('train on the drawn faces to the end, from `kubectl apply -k` alone', async () => {
    const run = await PodRun.start(place, 'jobset');
    await run.step(20);
    assert.equal((await place.pods('worker')).length, 2);

    const { url, close } = await place.kubectl.forward('service/dcgan-coordinator', 9464);
    try {
      const get = (path: string, headers = {}): Promise<Response> => fetch(`${url}${path}`, { headers });
      assert.deepEqual([(await get('/healthz')).status, (await get('/readyz')).status], [200, 200]);
      assert.equal((await get('/metrics')).status, 401);
      const authorization = `Bearer ${await run.token()}`;
      const page = await get('/', { authorization });
      assert.equal(page.status, 200);
      const families = parsePrometheusText(await (await get('/metrics', { authorization })).text());
      assert.equal(families.get('dcgan_workers')?.samples.get('dcgan_workers{state="ready"}'), 2);
    } finally {
      close();
    }
    // The coordinator is ready, so its name leads to it for everybody.
    assert.ok((await place.pods('coordinator')).every((pod) => has(pod, 'Ready')));

    await run.end();
    await run.keepAs(quiet());
    const numbers = await readNumbers(quiet());
    assert.equal(numbers.length, STEPS);
    assert.ok(numbers.every((line) => Object.values(line).every(Number.isFinite)));
  });

  it('lose a worker that is deleted and one that runs out of memory, and get them back', async () => {
    const run = await PodRun.start(place, 'jobset');
    await run.step(100);
    const [deleted, hungry] = await place.running(2, 'worker');
    await place.kubectl.run(['delete', 'pod', deleted.metadata.name, '--wait=false']);
    await back(run, deleted);
    await run.step(100);

    await outOfMemory(hungry);
    const { status } = await place.kubectl.json<Pod>(['get', 'pod', hungry.metadata.name]);
    assert.deepEqual(status.containerStatuses?.[0].state.terminated?.exitCode, 137);
    await back(run, hungry);

    await run.end();
    assert.equal(await run.restarts(), 0);
    await expectSameRun(run.folder, quiet());
  });

  it('go on in another coordinator pod where the first is deleted', async () => {
    const run = await PodRun.start(place, 'jobset');
    await run.step(100);
    const [before] = await place.running(1, 'coordinator');
    const workers = await place.running(2, 'worker');
    await place.kubectl.run(['delete', 'pod', before.metadata.name]);
    const left = await stepsDone(run.folder);
    assert.ok(left < STEPS, 'the run was over before its coordinator was deleted');
    // It has left a checkpoint of its last step, which is not one that it would have written anyway.
    assert.deepEqual(await run.newestCheckpoint(), `step-${String(left).padStart(6, '0')}.safetensors`);

    await place.running(1, 'coordinator');
    await run.step(1);
    // The workers are the same: they have waited.
    assert.deepEqual(uids(await place.running(2, 'worker')), uids(workers));
    await run.end();
    assert.equal(await run.restarts(), 0);
    await expectSameRun(run.folder, quiet());
  });

  it('are drained one at a time, and train on, without JobSet too', async () => {
    const run = await PodRun.start(place, 'indexed-job');
    await run.step(100);
    const pods = await place.running(3);
    const node = new Kubectl('default');
    const drain = ['drain', REAL_NODE, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=15s'];
    const { code, stderr } = await node.try([...drain, '--pod-selector=app.kubernetes.io/component=worker']);
    // The node is the only one: the first has nowhere to go to, so the second stays.
    assert.notEqual(code, 0);
    assert.match(stderr, /Cannot evict pod as it would violate the pod's disruption budget/);
    const kept = (await place.pods()).filter(({ status }) => status.phase === 'Running');
    assert.equal(kept.length, 2);
    await run.step(20);
    assert.ok(uids(pods).length > uids(kept).length);

    await node.run(['uncordon', REAL_NODE]);
    await place.running(3);
    await run.end();
    await expectSameRun(run.folder, quiet());
  });

  /** Waits for a worker in the place of one that is gone. */
  async function back(run: PodRun, gone: Pod): Promise<void> {
    await until(
      `a worker in place of ${gone.metadata.name}`,
      async () => {
        const running = (await place.pods('worker')).filter(({ status }) => status.phase === 'Running');
        return running.length === 2 && !uids(running).includes(gone.metadata.uid);
      },
      ...PATIENCE,
    );
    assert.ok((await stepsDone(run.folder)) < STEPS, 'the run was over before the worker was back');
  }

  /** Fills the memory of its pod from within, in pieces smaller than the worker, until the kernel ends the largest. */
  async function outOfMemory({ metadata: { name } }: Pod): Promise<void> {
    const piece = 'const held = Buffer.alloc(150 << 20, 1); setTimeout(() => held, 60_000)';
    const pieces: Promise<unknown>[] = [];
    const isOver = async (): Promise<boolean> =>
      (await place.kubectl.json<Pod>(['get', 'pod', name])).status.phase === 'Failed';
    await until(
      `${name} to be out of memory`,
      async () => {
        if (await isOver()) return true;
        pieces.push(place.kubectl.try(['exec', name, '--', 'node', '-e', piece]));
        return false;
      },
      120_000,
      1_500,
    );
    await Promise.all(pieces);
  }
});

function uids(pods: readonly Pod[]): string[] {
  return pods.map(({ metadata }) => metadata.uid).sort();
}
