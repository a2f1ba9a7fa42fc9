import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { cacheFolder } from '../src/common/files/cache-folder.js';
import { findCompiler } from '../src/engine/provision/compiler.js';
import { chooseEngine } from '../src/engine/choose-engine.js';
import { ENGINE_VARIABLE, findEngine } from '../src/engine/provision/index.js';
import { runTool } from '../src/engine/provision/tool.js';
import { Toolbox } from './support/toolbox.js';

const installed = await findEngine(cacheFolder());
const supported = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
const compiler = await findCompiler({ environment: process.env }).catch(() => undefined);
const canCompile = supported && compiler !== undefined;

describe(
  'the engine that the set-up has installed',
  { skip: installed.kind !== 'native' && installed.reason },
  () => {
    it('loads by itself and reports its TensorFlow', async () => {
      assert(installed.kind === 'native');
      const program = 'console.log(require(process.argv[1]).TF_Version)';
      const { output } = await runTool([process.execPath, '-e', program, installed.bindingPath], {
        environment: {},
      });
      assert.equal(output, '2.21.0\n');
    });
  },
);

describe('installing the engine', { skip: !supported }, () => {
  let toolbox: Toolbox;
  beforeEach(async () => {
    toolbox = await Toolbox.make();
  });
  afterEach(() => toolbox.remove());

  /** What is in the cache, records of failures aside. */
  const engines = async (): Promise<string[]> => {
    const names = await readdir(join(toolbox.cache, 'engine')).catch(() => []);
    return names.filter((name) => !name.endsWith('.failure.json'));
  };

  it('says in one line that g++ is missing and what to do, before it downloads, and once only', async () => {
    const line =
      'engine: wasm, because g++ is missing; install g++ (Debian: apt-get install g++) ' +
      'and run npm run setup for the native engine\n';
    const first = await toolbox.install();
    assert.deepEqual([first.code, first.said.endsWith(line)], [0, true]);
    assert.equal((await toolbox.install()).said, '');
    assert((await toolbox.install({ retry: true })).said.endsWith(line));
    assert.equal(await toolbox.countDownloads(), 0);
    const found = await findEngine(toolbox.cache, {});
    assert(found.kind === 'unavailable' && found.reason === 'g++ is missing');
  });

  it('says the same of pip', async () => {
    await rm(join(toolbox.folder, 'bin/python3'));
    const { code, said } = await toolbox.install();
    assert.match(
      said,
      /^engine: wasm, because pip is missing; install pip \(Debian: apt-get install python3-pip\)/m,
    );
    assert.equal(code, 0);
  });

  it(
    'does not repeat a failed download at the next start, but does when asked to',
    { skip: !canCompile },
    async () => {
      await toolbox.addCompiler();
      await toolbox.addPip('echo "ERROR: HTTP error 503" >&2; exit 1');
      assert.match(
        (await toolbox.install()).said,
        /because pip could not get TensorFlow \(HTTP error 503\); /,
      );
      assert.deepEqual(await engines(), []);
      await toolbox.install();
      assert.equal(await toolbox.countDownloads(), 1);
      await toolbox.install({ retry: true });
      assert.equal(await toolbox.countDownloads(), 2);
    },
  );

  it(
    'ends in one line where the disk is full, and leaves nothing half-made',
    { skip: !canCompile },
    async () => {
      await toolbox.addCompiler();
      await toolbox.addPip('echo "ERROR: OSError: [Errno 28] No space left on device" >&2; exit 1');
      const { code, said } = await toolbox.install();
      assert.match(
        said,
        /^engine: wasm, because the disk of the cache folder .*cache is full; free space there or /m,
      );
      assert.deepEqual([code, await engines()], [0, []]);
    },
  );

  it('takes an engine for whole only while its files are', { skip: !canCompile }, async () => {
    await toolbox.addCompiler();
    const { found } = await toolbox.install();
    assert(found?.kind === 'native' && found.tensorflowVersion === '2.21.0');
    assert.deepEqual(await findEngine(toolbox.cache, {}), found);
    assert.equal((await toolbox.install()).said, '');
    await truncate(join(found.folder, 'tensorflow/libtensorflow_cc.so.2'), 3);
    assert.equal((await findEngine(toolbox.cache, {})).kind, 'unavailable');
    assert.deepEqual((await toolbox.install()).found, found);
    assert.equal(await toolbox.countDownloads(), 2);
  });

  it(
    'makes it in a folder of its own where one is named, and finds it there',
    { skip: !canCompile },
    async () => {
      await toolbox.addCompiler();
      const engine = join(toolbox.folder, 'image/engine');
      const { found, said } = await toolbox.install({ engine });
      assert(found?.kind === 'native' && found.folder === engine, said);
      assert.deepEqual(await engines(), []);
      assert.deepEqual(await findEngine(toolbox.cache, { DCGAN_ENGINE: engine }), found);
      assert.equal((await findEngine(toolbox.cache, {})).kind, 'unavailable');
      const sha256 = createHash('sha256')
        .update(await readFile(join(toolbox.folder, 'small.whl')))
        .digest('hex');
      const { packages } = JSON.parse(await readFile(join(engine, 'engine.json'), 'utf8')) as {
        packages: unknown;
      };
      assert.deepEqual(packages, [{ name: 'tensorflow-cpu', version: '2.21.0', sha256 }]);
    },
  );

  it(
    'makes the one for GPUs where that is asked for, or none',
    { skip: process.arch !== 'x64' || !canCompile },
    async () => {
      await toolbox.addCompiler();
      const { found, said } = await toolbox.install({ gpu: true }); // this pip has no wheel for GPUs
      assert.match(said, /downloading TensorFlow 2\.21\.0 \(gpu, 3 GB\)/);
      assert.match(said, /^engine: no GPU, because pip could not get TensorFlow/m);
      assert.deepEqual([found?.kind, await engines()], ['unavailable', []]);
    },
  );

  it('that was killed is completed by the next, which clears up', { skip: !canCompile }, async () => {
    await toolbox.addCompiler();
    const killed = await toolbox.install({ killAt: 'unpacking' });
    assert.equal(killed.code, null);
    assert.match((await engines()).join(), /^\.partial-/);
    const { found } = await toolbox.install();
    assert(found?.kind === 'native');
    assert.deepEqual(
      (await engines()).map((name) => join(toolbox.cache, 'engine', name)),
      [found.folder],
    );
  });

  it('is done once by two set-ups at once', { skip: !canCompile }, async () => {
    await toolbox.addCompiler();
    const [one, other] = await Promise.all([toolbox.install(), toolbox.install()]);
    assert(one.found?.kind === 'native');
    assert.deepEqual(other.found, one.found);
    assert.equal(await toolbox.countDownloads(), 1);
  });

  it('refuses a binding that does not load', { skip: !canCompile }, async () => {
    await toolbox.addCompiler();
    await writeFile(join(toolbox.folder, 'binding.cc'), 'int nothing_of_node;');
    assert.match(
      (await toolbox.install()).said,
      /because TensorFlow does not load on this machine \(Error: Module did not/,
    );
    assert.deepEqual(await engines(), []);
  });

  it('is not needed where an engine is at hand, whoever owns the packages', async (t) => {
    if (process.geteuid?.() !== 0) t.skip('only root can become another user');
    else {
      const folder = await mkdtemp(join(toolbox.folder, 'engine-'));
      const manifest = { tensorflowVersion: '2.21.0', flavour: 'cpu', sizes: { 'tfjs_binding.node': 0 } };
      await writeFile(join(folder, 'tfjs_binding.node'), '');
      await writeFile(join(folder, 'engine.json'), JSON.stringify(manifest));
      for (const each of [toolbox.folder, folder]) await chmod(each, 0o755);
      const before = process.env[ENGINE_VARIABLE];
      process.env[ENGINE_VARIABLE] = folder;
      process.seteuid?.(65_534);
      try {
        assert.deepEqual(await chooseEngine('native', '/nonexistent'), { name: 'native', reason: undefined });
      } finally {
        process.seteuid?.(0);
        if (before === undefined) delete process.env['DCGAN_ENGINE'];
        else process.env[ENGINE_VARIABLE] = before;
      }
    }
  });
});
