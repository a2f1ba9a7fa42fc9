import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { containerOf } from '../support/kubernetes/run-manifests.js';
import type { JobSpec } from '../support/kubernetes/objects.js';
import { until } from '../support/wire/until.js';
import { controlPlane } from './cluster.js';
import {
  has,
  type Budget,
  type EndpointSlice,
  type List,
  type Pod,
  type WithConditions,
} from './live-objects.js';
import { Place } from './place.js';

interface Expected {
  readonly workers: number;
  /** Of each pod that computes. */
  readonly gpus: string | undefined;
  readonly jobSet: boolean;
  /** Pods that a drain leaves. */
  readonly stay?: number;
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  base: { workers: 4, gpus: '1', jobSet: true, stay: 4 },
  'overlays/cpu': { workers: 2, gpus: undefined, jobSet: true, stay: 2 },
  'overlays/elastic': { workers: 8, gpus: '1', jobSet: true, stay: 3 },
  'overlays/indexed-job': { workers: 4, gpus: '1', jobSet: false, stay: 4 },
  'overlays/indexed-job-cpu': { workers: 2, gpus: undefined, jobSet: false, stay: 2 },
  'overlays/kueue': { workers: 4, gpus: '1', jobSet: true, stay: 4 },
  'overlays/single-node': { workers: 0, gpus: '1', jobSet: false },
};

/** Milliseconds: how long to look, and how often. */
const PATIENCE = [180_000, 500] as const;

describe('manifests on a real control plane, with two fake nodes', () => {
  before(() => controlPlane('up', [], { NODES: '2', GPUS_PER_NODE: '64' }));
  after(() => controlPlane('down'));

  for (const [folder, { workers, gpus, jobSet, stay }] of Object.entries(EXPECTED))
    it(`${folder}: is admitted without a warning, and becomes the pods that were meant`, async () => {
      const place = await Place.make(folder.replace('overlays/', ''));
      try {
        for (const options of [['--dry-run=server'], []]) {
          const { code, stderr } = await place.applyFolder(`k8s/${folder}`, ...options);
          assert.deepEqual([code, stderr], [0, '']);
        }
        if (folder === 'overlays/kueue') await resume(place);

        const pods = await place.running(1 + workers);
        const byComponent = (name: string): Pod[] =>
          pods.filter(({ metadata }) => metadata.labels['app.kubernetes.io/component'] === name);
        assert.deepEqual([byComponent('coordinator').length, byComponent('worker').length], [1, workers]);
        for (const pod of workers > 0 ? byComponent('worker') : pods)
          assert.equal(gpusOf(pod), gpus, pod.metadata.name);
        if (workers > 0) {
          assert.equal(gpusOf(byComponent('coordinator')[0]), undefined);
          // Each knows which it is, and none is like another.
          const places = byComponent('worker').map(
            ({ metadata }) => metadata.labels['batch.kubernetes.io/job-completion-index'],
          );
          assert.deepEqual(
            places.sort(),
            Array.from({ length: workers }, (_, i) => String(i)),
          );
          // As many on one node as on the other.
          const nodes = byComponent('worker').map(({ spec }) => spec.nodeName);
          assert.equal(nodes.filter((name) => name === 'gpu-0').length, workers / 2, nodes.join(' '));
        }
        const { items: sets } = await place.kubectl.json<List<unknown>>(['get', 'jobsets']);
        assert.equal(sets.length, jobSet ? 1 : 0);

        // The name that workers look up leads to the coordinator.
        const { items: slices } = await place.kubectl.json<List<EndpointSlice>>([
          ...['get', 'endpointslices', '-l', 'kubernetes.io/service-name=dcgan-coordinator'],
        ]);
        assert.deepEqual(
          slices.flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }) => addresses)),
          [byComponent('coordinator')[0].status.podIP],
        );

        if (stay === undefined) return;
        const budget = await until(
          'a budget that counts all pods',
          async () => {
            const { status } = await place.kubectl.json<Budget>(['get', 'pdb', 'dcgan']);
            return status.currentHealthy === 1 + workers ? status : undefined;
          },
          ...PATIENCE,
        );
        assert.deepEqual([budget.expectedPods, budget.desiredHealthy], [1 + workers, stay]);
      } finally {
        await place.leave();
      }
    });

  it('refuses pods that are not restricted, in the same namespaces', async () => {
    const place = await Place.make('control');
    try {
      const containers = [{ name: 'a', image: 'a:1' }];
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers } };
      await assert.rejects(place.kubectl.apply(pod), /violates PodSecurity "restricted/);
    } finally {
      await place.leave();
    }
  });

  for (const folder of ['base', 'overlays/indexed-job'])
    it(`${folder}: makes a pod anew that failed, was deleted or evicted, by itself`, async () => {
      const place = await Place.make(folder === 'base' ? 'restarts-set' : 'restarts-jobs');
      try {
        await place.applyFolder(`k8s/${folder}`);
        let pods = await place.running(5);
        const endings = [
          { component: 'worker', exitCode: 1, counted: 1 },
          { component: 'worker', exitCode: 137, counted: 2 },
          { component: 'worker', exitCode: 143, counted: 2 },
          { component: 'coordinator', exitCode: 143, counted: 0 },
          { component: 'coordinator', exitCode: 1, counted: 1 },
        ] as const;
        for (const { component, exitCode, counted } of endings) {
          const victim = find(pods, component);
          await end(place, victim, component, exitCode);
          pods = await replaced(place, victim, pods);
          assert.equal(await failuresOf(place, component), counted, `${component} ${exitCode}`);
        }
        for (const component of ['worker', 'coordinator'] as const) {
          const counted = await failuresOf(place, component);
          // Not one of those above: the wait for the next pod of the same place doubles each time.
          const victim = find([...pods].reverse(), component);
          await evict(place, victim);
          pods = await replaced(place, victim, pods);
          assert.equal(await failuresOf(place, component), counted, `${component} evicted`);
        }
        if (folder === 'base') {
          const { status } = await place.kubectl.json<WithConditions>(['get', 'jobset', 'dcgan']);
          assert.equal(status?.restarts ?? 0, 0);
        }

        // And all of it is over when the coordinator is.
        await patch(place, find(pods, 'coordinator'), { phase: 'Succeeded' });
        if (folder === 'base') await reaches(place, 'jobset/dcgan', 'Completed');
        else await reaches(place, 'job/dcgan-coordinator', 'Complete');
      } finally {
        await place.leave();
      }
    });

  it('base: fails at once where the coordinator says that its options are wrong', async () => {
    const place = await Place.make('wrong');
    try {
      await place.applyFolder('k8s/base');
      await end(place, find(await place.running(5), 'coordinator'), 'coordinator', 2);
      await reaches(place, 'jobset/dcgan', 'Failed');
      await place.running(0);
    } finally {
      await place.leave();
    }
  });

  it('base: goes on without a worker that is over, and ends well after one that said it is', async () => {
    const place = await Place.make('ends');
    try {
      await place.applyFolder('k8s/base');
      const pods = await place.running(5);
      // A worker that was told the run is over ends its Job; the coordinator's goes on by itself.
      await patch(place, find(pods, 'worker'), { phase: 'Succeeded' });
      await place.running(0, 'worker');
      const { status } = await place.kubectl.json<WithConditions>(['get', 'jobset', 'dcgan']);
      assert.deepEqual(status?.conditions ?? [], []);
      await patch(place, find(pods, 'coordinator'), { phase: 'Succeeded' });
      await reaches(place, 'jobset/dcgan', 'Completed');
    } finally {
      await place.leave();
    }
  });
});

function gpusOf({ spec }: Pod): string | undefined {
  return containerOf({ template: { spec } } as JobSpec).resources.requests['nvidia.com/gpu'];
}

function find(pods: readonly Pod[], component: string): Pod {
  const found = pods.find(({ metadata }) => metadata.labels['app.kubernetes.io/component'] === component);
  if (!found) throw new Error(`no ${component} is left`);
  return found;
}

/** What Kueue does with a JobSet whose turn has come. Until then there are no pods. */
async function resume(place: Place): Promise<void> {
  await until(
    'a suspended JobSet',
    async () => has(await place.kubectl.json<WithConditions>(['get', 'jobset', 'dcgan']), 'Suspended'),
    ...PATIENCE,
  );
  assert.deepEqual(await place.pods(), []);
  await place.kubectl.run(['patch', 'jobset', 'dcgan', '--type=merge', '-p', '{"spec":{"suspend":false}}']);
}

/** Lets a fake pod end, as kubelet would report it. */
async function end(place: Place, pod: Pod, container: string, exitCode: number): Promise<void> {
  const status = { name: container, image: 'a:1', imageID: 'a', ready: false, restartCount: 0 };
  const state = { terminated: { exitCode, reason: 'Error' } };
  await patch(place, pod, { phase: 'Failed', containerStatuses: [{ ...status, state }] });
}

async function patch(place: Place, { metadata }: Pod, status: object): Promise<void> {
  await place.kubectl.run([
    ...[
      'patch',
      'pod',
      metadata.name,
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ],
  ]);
}

/** As a drain asks. Refused for as long as the budget has not seen that the last one is back. */
async function evict(place: Place, { metadata: { name } }: Pod): Promise<void> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: place.name } };
  const path = `/api/v1/namespaces/${place.name}/pods/${name}/eviction`;
  await until(
    `${name} to be evicted`,
    async () => {
      const { code, stderr } = await place.kubectl.try(
        ['create', '--raw', path, '-f', '-'],
        JSON.stringify(eviction),
      );
      if (code !== 0) assert.match(stderr, /disruption budget/);
      return code === 0;
    },
    ...PATIENCE,
  );
}

/** Waits for a pod in the place of one; all others are to be the same as before. Returns all. */
async function replaced(place: Place, victim: Pod, before: readonly Pod[]): Promise<readonly Pod[]> {
  const uids = (pods: readonly Pod[]): Set<string> => new Set(pods.map(({ metadata }) => metadata.uid));
  const others = uids(before.filter((pod) => pod !== victim));
  const now = await until(
    `a pod in place of ${victim.metadata.name}`,
    async () => {
      const running = (await place.pods()).filter(({ status }) => status.phase === 'Running');
      return running.length === before.length && !uids(running).has(victim.metadata.uid)
        ? running
        : undefined;
    },
    ...PATIENCE,
  );
  assert.equal(now.filter(({ metadata }) => others.has(metadata.uid)).length, others.size);
  return now;
}

/** How many failures the Job of a component has counted. */
async function failuresOf(place: Place, component: string): Promise<number> {
  const { items } = await place.kubectl.json<List<WithConditions & { metadata: { name: string } }>>([
    'get',
    'jobs',
  ]);
  const job = items.find(({ metadata }) => metadata.name.startsWith(`dcgan-${component}`));
  return job?.status?.failed ?? 0;
}

async function reaches(place: Place, what: string, condition: string): Promise<void> {
  await place.kubectl.run(['wait', `--for=condition=${condition}`, what, '--timeout=60s']);
}
