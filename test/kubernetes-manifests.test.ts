import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Secret } from '../src/common/secret.js';
import { settleOptions } from '../src/options/resolve-options.js';
import { buildManifests, findKustomize } from './support/kubernetes/kustomize.js';
import {
  selects,
  type DisruptionBudget,
  type Labels,
  type NetworkPolicy,
  type Service,
} from './support/kubernetes/objects.js';
import { restrictedViolations } from './support/kubernetes/restricted.js';
import {
  containerOf,
  RunManifests,
  trainArgumentsOf,
  workerOptionsOf,
} from './support/kubernetes/run-manifests.js';
import { schemaErrors } from './support/kubernetes/schemas.js';
import { skipWithout } from './support/optional-tools.js';

const OVERLAYS = readdirSync(new URL('../../k8s/overlays', import.meta.url)).sort();

const kustomize = findKustomize();
const skip = skipWithout('Kustomize');

/** A machine of the cluster: what the manifests leave to be settled follows it. */
const NODE = { cores: 8, gpus: [], lackOfBfloat16: () => undefined };

const built = new Map<string, Promise<RunManifests>>();

function build(folder: string): Promise<RunManifests> {
  const manifests =
    built.get(folder) ?? buildManifests(kustomize ?? [], folder).then((objects) => new RunManifests(objects));
  built.set(folder, manifests);
  return manifests;
}

describe('the manifests', { skip }, () => {
  it('are there for all that the README names', () => {
    assert.deepEqual(OVERLAYS, [
      ...['cpu', 'elastic', 'indexed-job', 'indexed-job-cpu', 'kueue', 'single-node'],
    ]);
  });

  for (const folder of ['base', ...OVERLAYS.map((name) => `overlays/${name}`)])
    describe(folder, () => {
      it("are what Kubernetes' schemas say", async () => {
        const { objects } = await build(folder);
        assert.deepEqual(objects.flatMap(schemaErrors), []);
      });

      it('belong to one run, by their labels', async () => {
        const { objects, jobs } = await build(folder);
        const common = { 'app.kubernetes.io/name': 'dcgan-trainer', 'app.kubernetes.io/instance': 'dcgan' };
        for (const { metadata } of objects) assert.ok(selects(common, metadata.labels ?? {}), metadata.name);
        for (const { template } of jobs.values()) assert.ok(selects(common, template.metadata.labels));
        for (const { metadata } of objects) assert.equal(metadata.namespace, undefined, metadata.name);
      });

      it('admit pods where security is restricted, with a root that nobody writes to', async () => {
        for (const { template } of (await build(folder)).jobs.values()) {
          assert.deepEqual(restrictedViolations(template.spec), []);
          assert.equal(template.spec.automountServiceAccountToken, false);
          assert.ok(template.spec.containers.every((one) => one.securityContext?.readOnlyRootFilesystem));
        }
      });

      it('name an image by a version, and say what it needs and may take', async () => {
        for (const job of (await build(folder)).jobs.values()) {
          const { image, resources } = containerOf(job);
          assert.match(image, /:[^:/]+$/);
          assert.doesNotMatch(image, /:latest$/);
          for (const list of [resources.requests, resources.limits])
            for (const name of ['cpu', 'memory']) assert.ok(name in list, name);
          // Kubernetes wants the same of both.
          assert.equal(resources.requests['nvidia.com/gpu'], resources.limits['nvidia.com/gpu']);
        }
      });

      it('have options that the coordinator takes, and one answer to how many workers there are', async () => {
        const { coordinator, jobs } = await build(folder);
        const given = await trainArgumentsOf(containerOf(coordinator));
        // As from --http-token-file, which is in a Secret.
        const options = settleOptions({ ...given, httpToken: new Secret('0123456789abcdef') }, NODE);
        assert.equal(given.autoResume, true);
        assert.equal(coordinator.completions, 1);
        const worker = jobs.get('worker');
        assert.equal(options.external, worker !== undefined);
        if (!worker) return;
        assert.deepEqual(
          [worker.completions, worker.parallelism],
          Array(2).fill(given.maxWorkers ?? given.workers),
        );
        assert.equal(given.fallback, 'wait');
        // A worker left over would have nothing to do.
        assert.ok(options.training.shards >= worker.parallelism);
      });

      it('give each program its keys, its port and a place for what it writes', async () => {
        const { coordinator, jobs } = await build(folder);
        const given = await trainArgumentsOf(containerOf(coordinator));
        const { ports = [], volumeMounts } = containerOf(coordinator);
        const portOf = (name: string): number | undefined =>
          ports.find((one) => one.name === name)?.containerPort;
        assert.equal(given.http, `0.0.0.0:${portOf('metrics') ?? 0}`);
        assert.ok(volumeMounts.some(({ mountPath }) => given.runDir?.startsWith(`${mountPath}/`)));
        assert.ok(given.httpTokenFile?.startsWith('/keys/'));
        if (given.external) assert.equal(given.listen, `tcp://0.0.0.0:${portOf('wire') ?? 0}`);
        for (const [component, job] of jobs) {
          const container = containerOf(job);
          const keys = job.template.spec.volumes.find(({ name }) => name === 'keys');
          assert.deepEqual(keys?.['secret'], { secretName: `dcgan-${component}`, defaultMode: 0o440 });
          const mounts = new Map(container.volumeMounts.map((one) => [one.mountPath, one]));
          assert.equal(mounts.get('/keys')?.readOnly, true);
          const cache = container.env.find(({ name }) => name === 'DCGAN_CACHE')?.value ?? '';
          for (const path of ['/tmp', cache])
            assert.ok(
              [...mounts.keys()].some((mount) => `${path}/`.startsWith(`${mount}/`)),
              path,
            );
          for (const { name } of container.volumeMounts)
            assert.ok(
              job.template.spec.volumes.some((volume) => volume.name === name),
              name,
            );
        }
      });

      it('lead workers to the coordinator, before it is ready', async () => {
        const manifests = await build(folder);
        const { coordinator, jobs } = manifests;
        const service = manifests.spec('Service', 'dcgan-coordinator') as Service;
        assert.equal(service.clusterIP, 'None');
        assert.equal(service.publishNotReadyAddresses, true);
        const { ports = [] } = containerOf(coordinator);
        assert.deepEqual(
          service.ports.map(({ name, port, targetPort }) => [name, port, targetPort]),
          ports.map(({ name, containerPort }) => [name, containerPort, name]),
        );
        for (const [component, { template }] of jobs)
          assert.equal(selects(service.selector, template.metadata.labels), component === 'coordinator');
        const worker = jobs.get('worker');
        if (!worker) return;
        const { coordinator: address, keys } = await workerOptionsOf(containerOf(worker));
        const wire = service.ports.find(({ name }) => name === 'wire');
        assert.deepEqual([address, keys], [`tcp://dcgan-coordinator:${wire?.port ?? 0}`, '/keys']);
      });

      it("watch the coordinator's health, and start what fails again by itself", async () => {
        const { coordinator, jobs } = await build(folder);
        const { startupProbe, livenessProbe, readinessProbe } = containerOf(coordinator);
        assert.deepEqual(
          [startupProbe, livenessProbe, readinessProbe].map((probe) => [
            probe?.httpGet.path,
            probe?.httpGet.port,
          ]),
          [
            ['/healthz', 'metrics'],
            ['/healthz', 'metrics'],
            ['/readyz', 'metrics'],
          ],
        );
        for (const [component, job] of jobs) {
          // Rules about how pods fail are for pods that are not restarted in place.
          assert.equal(job.template.spec.restartPolicy, 'Never');
          assert.equal(job.podReplacementPolicy, 'Failed');
          const ignored = job.podFailurePolicy.rules.filter(({ action }) => action === 'Ignore');
          assert.deepEqual(ignored[0].onPodConditions, [{ type: 'DisruptionTarget', status: 'True' }]);
          assert.deepEqual(ignored[1].onExitCodes?.values, component === 'coordinator' ? [130, 143] : [143]);
          for (const { onExitCodes } of job.podFailurePolicy.rules)
            assert.equal(onExitCodes?.containerName ?? component, component);
        }
        const worker = jobs.get('worker');
        if (!worker) return;
        // One that fails costs itself alone: nothing is counted for all of them.
        assert.ok(worker.backoffLimitPerIndex);
        assert.equal(worker.backoffLimit, undefined);
        assert.ok(worker.podFailurePolicy.rules.every(({ action }) => action === 'Ignore'));
        const { grace } = await workerOptionsOf(containerOf(worker));
        assert.ok(grace < worker.template.spec.terminationGracePeriodSeconds);
        assert.ok(grace < coordinator.template.spec.terminationGracePeriodSeconds);
      });

      it('let a drain take one pod at a time, down to the fewest workers', async () => {
        const manifests = await build(folder);
        const budgets = [...manifests.specs('PodDisruptionBudget').values()] as DisruptionBudget[];
        assert.equal(budgets.length, manifests.pods > 1 ? 1 : 0);
        const given = await trainArgumentsOf(containerOf(manifests.coordinator));
        for (const { minAvailable, maxUnavailable, selector } of budgets) {
          assert.equal(maxUnavailable, undefined, 'it does not work over the pods of Jobs');
          assert.equal(
            minAvailable,
            given.maxWorkers === undefined ? manifests.pods - 1 : 1 + given.minWorkers,
          );
          for (const { template } of manifests.jobs.values())
            assert.ok(selects(selector.matchLabels, template.metadata.labels));
        }
      });

      it('admit to the coordinator its workers and Prometheus, and nobody else to anything', async () => {
        const manifests = await build(folder);
        const { coordinator, jobs } = manifests;
        const policies = [...manifests.specs('NetworkPolicy').values()] as NetworkPolicy[];
        const { ports = [] } = containerOf(coordinator);
        const of = (component: string): NetworkPolicy[] =>
          policies.filter(({ podSelector }) =>
            selects(podSelector.matchLabels, jobs.get(component)?.template.metadata.labels ?? {}),
          );
        for (const component of jobs.keys())
          for (const type of ['Ingress', 'Egress'])
            assert.ok(of(component).some(({ policyTypes }) => policyTypes.includes(type)));
        const admitted = (component: string): [unknown, number[]][] =>
          of(component).flatMap(({ ingress = [] }) =>
            ingress.map(({ from, ports: open }): [unknown, number[]] => [from, open.map(({ port }) => port)]),
          );
        const instance = { 'app.kubernetes.io/instance': 'dcgan' };
        const workers = { matchLabels: { ...instance, 'app.kubernetes.io/component': 'worker' } };
        const prometheus = {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
          podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
        };
        const port = (name: string): number[] =>
          ports.filter((one) => one.name === name).map(({ containerPort }) => containerPort);
        assert.deepEqual(admitted('coordinator'), [
          ...(jobs.has('worker') ? [[[{ podSelector: workers }], port('wire')]] : []),
          [[prometheus], port('metrics')],
        ]);
        const worker = jobs.get('worker');
        if (!worker) return;
        const peers = (containerOf(worker).ports ?? []).map(({ containerPort }) => containerPort);
        assert.deepEqual(admitted('worker'), [[[{ podSelector: workers }], peers]]);
        const egress = of('worker').flatMap(({ egress: out = [] }) => out);
        assert.ok(
          egress.some(
            ({ to = [], ports: open }) =>
              open[0].port === port('wire')[0] &&
              to.some(({ podSelector }) =>
                selects(podSelector?.matchLabels ?? {}, coordinator.template.metadata.labels),
              ),
          ),
        );
      });
    });
});

describe('the manifests of an overlay', { skip }, () => {
  const gpusOf = (manifests: RunManifests, component: string): string | undefined => {
    const job = manifests.jobs.get(component);
    return job && containerOf(job).resources.limits['nvidia.com/gpu'];
  };
  const kindsOf = ({ objects }: RunManifests): string[] => objects.map(({ kind }) => kind);

  it('base: a GPU for each of four workers, which are spread over nodes', async () => {
    const base = await build('base');
    assert.deepEqual(
      [gpusOf(base, 'coordinator'), gpusOf(base, 'worker'), base.worker.parallelism],
      [undefined, '1', 4],
    );
    const { topologySpreadConstraints = [], tolerations = [] } = base.worker.template.spec;
    assert.equal(topologySpreadConstraints[0].whenUnsatisfiable, 'ScheduleAnyway');
    const { matchLabels } = topologySpreadConstraints[0].labelSelector;
    assert.ok(selects(matchLabels, base.worker.template.metadata.labels));
    assert.ok(!selects(matchLabels, base.coordinator.template.metadata.labels));
    assert.deepEqual(
      tolerations.map(({ key }) => key),
      ['nvidia.com/gpu'],
    );
  });

  it('base: over when the coordinator is, failed by its wrong options alone', async () => {
    const { successPolicy, failurePolicy } = (await build('base')).spec('JobSet') as Record<string, unknown>;
    assert.deepEqual(successPolicy, { operator: 'All', targetReplicatedJobs: ['coordinator'] });
    assert.deepEqual((failurePolicy as { rules: unknown }).rules, [
      {
        name: 'wrongOptions',
        action: 'FailJobSet',
        targetReplicatedJobs: ['coordinator'],
        onJobFailureReasons: ['PodFailurePolicy'],
      },
    ]);
  });

  it("indexed-job: the JobSet's Jobs and no JobSet", async () => {
    for (const [plain, withJobSet] of [
      ['overlays/indexed-job', 'base'],
      ['overlays/indexed-job-cpu', 'overlays/cpu'],
    ]) {
      const [jobs, set] = [await build(plain), await build(withJobSet)];
      assert.deepEqual(jobs.jobs, set.jobs);
      assert.ok(!kindsOf(jobs).includes('JobSet') && kindsOf(set).includes('JobSet'));
    }
  });

  it('cpu: no GPU, and as many threads as a worker has cores', async () => {
    const cpu = await build('overlays/cpu');
    assert.deepEqual([gpusOf(cpu, 'worker'), cpu.worker.parallelism], [undefined, 2]);
    const { threads } = await trainArgumentsOf(containerOf(cpu.coordinator));
    assert.equal(String(threads), containerOf(cpu.worker).resources.limits['cpu']);
  });

  it('single-node: one pod with a GPU, in one process', async () => {
    const alone = await build('overlays/single-node');
    assert.deepEqual([...alone.jobs.keys()], ['coordinator']);
    assert.equal(gpusOf(alone, 'coordinator'), '1');
    assert.equal((await trainArgumentsOf(containerOf(alone.coordinator))).singleNode, true);
  });

  it('elastic: 2 to 8 workers, on spot nodes, and the coordinator elsewhere', async () => {
    const elastic = await build('overlays/elastic');
    const { minWorkers, workers, maxWorkers, shards } = await trainArgumentsOf(
      containerOf(elastic.coordinator),
    );
    assert.deepEqual([minWorkers, workers, maxWorkers, shards], [2, 4, 8, 8]);
    const spot = 'cloud.google.com/gke-spot';
    assert.ok(elastic.worker.template.spec.tolerations?.some(({ key }) => key === spot));
    assert.equal(elastic.coordinator.template.spec.tolerations, undefined);
  });

  it("kueue: made suspended, with a queue's name", async () => {
    const { objects } = await build('overlays/kueue');
    const set = objects.find(({ kind }) => kind === 'JobSet');
    assert.equal(set?.metadata.labels?.['kueue.x-k8s.io/queue-name'], 'gpus');
    assert.equal((set.spec as { suspend?: boolean }).suspend, true);
  });

  it('components/faces: a folder of photographs for the coordinator', async () => {
    const { coordinator, worker } = await build('../test/fixtures/kubernetes/own-faces');
    const { data } = await trainArgumentsOf(containerOf(coordinator));
    assert.equal(data, '/faces');
    assert.ok(containerOf(coordinator).volumeMounts.some(({ mountPath }) => mountPath === data));
    assert.equal((await workerOptionsOf(containerOf(worker))).data, undefined);
  });
});

describe('what Prometheus is told', { skip }, () => {
  it("components/monitoring: the coordinator's port for metrics, with the token of its Secret", async () => {
    const watched = await build('../test/fixtures/kubernetes/watched');
    const { selector, podMetricsEndpoints } = watched.spec('PodMonitor') as {
      selector: { matchLabels: Labels };
      podMetricsEndpoints: { port: string; authorization: { credentials: { name: string; key: string } } }[];
    };
    for (const [component, { template }] of watched.jobs)
      assert.equal(selects(selector.matchLabels, template.metadata.labels), component === 'coordinator');
    const [{ port, authorization }] = podMetricsEndpoints;
    assert.ok(containerOf(watched.coordinator).ports?.some(({ name }) => name === port));
    assert.deepEqual(authorization.credentials, { name: 'dcgan-coordinator', key: 'http.token' });
    const { httpTokenFile } = await trainArgumentsOf(containerOf(watched.coordinator));
    assert.equal(httpTokenFile, `/keys/${authorization.credentials.key}`);
    watched.spec('PrometheusRule');
  });
});

describe('what holds manifests to their schemas', () => {
  const service = (spec: object): string[] =>
    schemaErrors({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec });

  it('finds a field that is misspelt, of the wrong type, or missing', () => {
    assert.deepEqual(service({ clusterIP: 'None', ports: [{ port: 1 }] }), []);
    assert.match(service({ clusterIp: 'None' })[0], /additional properties.*clusterIp/);
    assert.match(
      service({ publishNotReadyAddresses: 'true' })[0],
      /publishNotReadyAddresses must be boolean/,
    );
    assert.match(service({ ports: [{ name: 'wire' }] })[0], /required property 'port'/);
  });

  it('knows the kinds that it has schemas of, and no others', () => {
    const metadata = { name: 'a' };
    assert.match(schemaErrors({ apiVersion: 'v1', kind: 'Jobset', metadata, spec: {} })[0], /no schema for/);
  });
});
