import assert from 'node:assert/strict';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cacheFolder } from '../src/common/files/cache-folder.js';
import { findEngine } from '../src/engine/provision/index.js';
import { expectSameRun, stepsDone } from './support/trainer/run-results.js';
import { ENDLESS, SMALL, Workplace } from './support/trainer/workplace.js';
import { Compose } from './support/containers/compose.js';
import { ContainerHost, HARDENED, IMAGE } from './support/containers/container-host.js';
import { RunInContainers } from './support/containers/run-in-containers.js';
import { until } from './support/wire/until.js';

/** What must not be on a machine that only runs. */
const TOOLS = [
  'gcc',
  'g++',
  'cc',
  'c++',
  'cpp',
  'ld',
  'make',
  'python3',
  'pip',
  'pip3',
  'npm',
  'npx',
  'git',
  'curl',
];

interface Bill {
  readonly components: readonly {
    readonly purl: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  }[];
}

describe('the container image', () => {
  let host: ContainerHost;
  let workplace: Workplace;
  before(async () => {
    host = await ContainerHost.open();
    workplace = await Workplace.make();
    await host.buildImage();
  });
  after(async () => {
    await workplace.remove();
    await host.close();
  });

  /** Lines of a shell in the image. */
  async function shell(script: string, options: readonly string[] = []): Promise<string[]> {
    const { code, stdout, stderr } = await host.run(['--network', 'none', ...options], ['sh', '-c', script]);
    assert.equal(code, 0, stderr);
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('says what it is, runs as a numbered user and knows whether it lives', async () => {
    const [image] = JSON.parse(await host.podman('image', 'inspect', IMAGE)) as [
      {
        Config: { User: string; Labels: Record<string, string>; Entrypoint: string[] };
        HealthCheck?: object;
      },
    ];
    assert.equal(image.Config.User, '1000:1000');
    assert.equal(image.Config.Labels['org.opencontainers.image.title'], 'dcgan-trainer');
    assert.equal(image.Config.Labels['org.opencontainers.image.licenses'], 'Apache-2.0');
    assert.match(image.Config.Labels['org.opencontainers.image.version'], /^\d+\.\d+\.\d+$/);
    assert.deepEqual(await shell('id -u; id -g'), ['1000', '1000']);
  });

  it('has no compiler, package manager, test or source in it', async () => {
    const found = await shell(`for tool in ${TOOLS.join(' ')}; do command -v $tool; done; true`);
    assert.deepEqual(found, []);
    const developed = await shell(
      'cd /opt/dcgan/app; ls -d src test bench dist/test dist/bench node_modules/typescript node_modules/eslint 2> /dev/null; true',
    );
    assert.deepEqual(developed, []);
  });

  it('keeps nothing of the settings that the build was told as secrets', async () => {
    // As root, who can read all of it.
    const files = await shell(
      `grep --recursive --files-with-matches --fixed-strings ${host.mark} /etc /home /opt /root /srv /usr /var /run /tmp 2> /dev/null; true`,
      ['--user', '0', '--cap-add', 'DAC_OVERRIDE'],
    );
    assert.deepEqual(files, []);
    assert.doesNotMatch(await host.podman('history', '--no-trunc', IMAGE), new RegExp(host.mark));
    assert.doesNotMatch(await host.podman('image', 'inspect', IMAGE), new RegExp(host.mark));
    const settings = '/root/.npmrc /etc/pip.conf /etc/ssl/certs/ca-certificates.crt';
    assert.deepEqual(await shell(`ls -d ${settings} 2> /dev/null; true`, ['--user', '0']), []);
  });

  it('lists what is in it', async () => {
    const text = (await shell('cat /opt/dcgan/bill-of-materials.cdx.json')).join('\n');
    const { components } = JSON.parse(text) as Bill;
    const listed = new Set(components.map(({ purl }) => decodeURIComponent(purl)));
    assert.doesNotMatch(text, /https?:\/\/(?!cyclonedx\.org)[^"]*\.tgz/);

    const wheel = components.find(({ purl }) => purl === 'pkg:pypi/tensorflow-cpu@2.21.0');
    assert.match(wheel?.hashes?.[0].content ?? '', /^[0-9a-f]{64}$/);
    const [node] = await shell('node --version');
    assert.ok(listed.has(`pkg:generic/node@${node.slice(1)}`));

    const debian = await shell("dpkg-query -W -f '${Package}@${Version}?arch=${Architecture}\\n'");
    assert.ok(debian.length > 50);
    assert.deepEqual(
      debian.filter((each) => !listed.has(`pkg:deb/debian/${each}`)),
      [],
    );
    const packages = await shell(
      `cd /opt/dcgan/app; find node_modules -name package.json | grep -E '^(.*/)?node_modules/(@[^/]+/)?[^/]+/package.json$' |
       xargs node -e 'for (const path of process.argv.slice(1)) {
         const { name, version } = JSON.parse(require("fs").readFileSync(path));
         if (name && version) console.log("pkg:npm/" + name + "@" + version);
       }'`,
    );
    assert.ok(packages.length > 100);
    assert.deepEqual(
      packages.filter((each) => !listed.has(each)),
      [],
    );
  });

  it('trains by itself: as any user, on a read-only file system, without a network, and as anywhere else', async () => {
    const engine = (await findEngine(cacheFolder())).kind === 'native' ? 'native' : 'wasm';
    const options = ['--shards', '2', '--steps', '6', '--sample-every', '3', '--engine', engine];
    await workplace.quietRun('here', options);
    const runs = workplace.path('runs');
    await mkdir(runs);
    await chmod(runs, 0o777);
    const { code, stderr } = await host.run(
      [
        ...['--network', 'none', '--user', '12345:6789', '--volume', `${runs}:/runs`],
        ...['--volume', `${workplace.images}:/data:ro`],
      ],
      ['coordinator', 'train', '--single-node', '--data', '/data', ...SMALL, ...options],
    );
    assert.equal(code, 0, stderr);
    await expectSameRun(join(runs, '00000'), workplace.path('here'));
  });

  it('is asked whether it lives, and says why not', async () => {
    const { code, stdout } = await host.run(
      ['--network', 'none'],
      ['node', '/opt/dcgan/app/deploy/image/health.mjs'],
    );
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^unhealthy: http:\/\/127\.0\.0\.1:9464\/healthz: connect ECONNREFUSED 127\.0\.0\.1:9464$/m,
    );

    await host.podman(
      ...['run', '--detach', '--name', 'healthy', ...HARDENED, '--network', 'none'],
      ...['--tmpfs', '/runs', '--volume', `${workplace.images}:/data:ro`, IMAGE],
      ...['coordinator', 'train', '--single-node', '--data', '/data', ...SMALL, ...ENDLESS],
    );
    await until('a healthy container', () => host.isHealthy('healthy'), 60_000);
    await until('a step', async () => / step \d+\//.test(await host.logs('healthy')), 60_000);
    await host.podman('stop', '--time', '60', 'healthy');
    assert.match(await host.logs('healthy'), /SIGTERM: ending after this step with a checkpoint/);
    assert.equal((await host.podman('wait', 'healthy')).trim(), '0');
    await host.podman('rm', '--volumes', 'healthy');
  });

  it('trains with two workers, ends at SIGTERM with a checkpoint, and goes on from there', async () => {
    const training = await RunInContainers.prepare(host, workplace.images);
    await training.start(ENDLESS);
    await until('ten steps', async () => (await stepsDone(training.run)) >= 10, 90_000);
    await training.stop();
    const stopped = await training.ended();
    for (const [name, { code, lines }] of stopped) assert.equal(code, 143, `${name}:\n${lines}`);
    const done = await stepsDone(training.run);
    assert.deepEqual(await readdir(join(training.run, 'checkpoints')), [
      `step-${String(done).padStart(6, '0')}.safetensors`,
    ]);

    const steps = ['--steps', String(done + 20), '--sample-every', '0'];
    await training.start(steps);
    for (const [name, { code, lines }] of await training.ended()) assert.equal(code, 0, `${name}:\n${lines}`);
    await workplace.quietRun('undisturbed', ['--shards', '2', ...steps]);
    await expectSameRun(training.run, workplace.path('undisturbed'));
  });

  it('is a run with Prometheus by one command of compose, until another', async () => {
    const compose = await Compose.install(host, workplace.images);
    try {
      await compose.up();
      await until(
        'two workers',
        async () => (await compose.query('dcgan_workers{state="ready"}'))[0] === 2,
        90_000,
      );
      assert.equal((await compose.health()).status, 200);
      // Nobody has more keys than are its own.
      assert.deepEqual(await compose.filesOf('worker-keys'), ['coordinator.key', 'worker.key_secret']);
      assert.deepEqual(await compose.filesOf('coordinator-keys'), [
        ...['coordinator.key', 'coordinator.key_secret', 'http.token', 'worker.key'],
      ]);
      await compose.down();
      const run = join(await compose.volume('runs'), 'run');
      const done = await stepsDone(run);
      assert.ok(done > 0);
      const checkpoints = await readdir(join(run, 'checkpoints'));
      assert.ok(
        checkpoints.includes(`step-${String(done).padStart(6, '0')}.safetensors`),
        checkpoints.join(),
      );

      await compose.up();
      await until('a step after those', async () => (await stepsDone(run)) > done, 90_000);
      assert.match(
        await compose.logs('coordinator_1'),
        new RegExp(`resuming in runs/run: .* steps ${done + 1} to `),
      );
    } finally {
      await compose.down('--volumes');
    }
    assert.deepEqual(await compose.leftovers(), []);
  });
});
