import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Closing } from '../src/common/closing.js';
import { fillNormal, randomStream } from '../src/common/random.js';
import type { ModelOptions } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { stateLayout } from '../src/model/state.js';
import { startEngine } from './support/engine/start-engine.js';
import { facesOf, largestDifference } from './support/exported-generator.js';
import { skipWithout } from './support/optional-tools.js';
import { ServedPage } from './support/page.js';
import { EXAMPLES } from './support/python.js';
import { lastState } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

const MODEL: ModelOptions = {
  ...{
    architecture: 'tutorial',
    imageSize: 32,
    latentSize: 8,
    generatorFeatures: 4,
    discriminatorFeatures: 4,
  },
};
const COUNT = 5;

/** What both draw from the same noise, in [-1, 1]. */
const TOLERANCE = 1e-4;

/** Shoemake's spherical interpolation. */
function onTheSphere(from: Float32Array, to: Float32Array, share: number): Float32Array {
  const dot = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, i) => sum + value * b[i], 0);
  const angle = Math.acos(dot(from, to) / Math.sqrt(dot(from, from) * dot(to, to)));
  const [a, b] = [1 - share, share].map((part) => Math.sin(part * angle) / Math.sin(angle));
  return from.map((value, i) => a * value + b * to[i]);
}

describe('a generator in a web page', { skip: skipWithout('Chromium') }, () => {
  const closing = new Closing();
  let workplace: Workplace;
  let served: ServedPage;
  before(async () => {
    await startEngine('wasm');
    workplace = await Workplace.make();
    closing.add(() => workplace.remove());
    // Large steps leave no grey.
    await workplace.quietRun('run', [...['--steps', '12', '--learning-rate', '0.1', '--sample-every', '0']]);
    const site = workplace.path('site');
    await mkdir(site);
    const { code, stdout, lines } = await workplace
      .start(['export', 'run', '--format', 'tfjs', '--out', 'site/generator'])
      .ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.equal(stdout, 'site/generator: tfjs weights from step 12\n');
    const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json'));
    await copyFile(join(tfjs, 'dist/tf.min.js'), join(site, 'tf.min.js'));
    await copyFile(join(EXAMPLES, 'browser/index.html'), join(site, 'index.html'));
    await writeFile(join(site, 'bare.html'), '<!doctype html><script src="tf.min.js"></script>');
    served = await ServedPage.open(site);
    closing.add(() => served.close());
  });
  after(() => closing.close());

  it('draws what the run draws, with the stock library', async () => {
    const noise = fillNormal(new Float32Array(COUNT * MODEL.latentSize), randomStream(6, 'test'));
    const ours = await facesOf(workplace.path('run'), MODEL, noise);
    assert.ok(largestDifference(ours.subarray(0, 3072), ours.subarray(3072, 6144)) > 0.5);
    await served.goto('bare.html');
    for (const backend of ['cpu', 'webgl']) {
      const theirs = await served.evaluate<{
        backend: string;
        shape: number[];
        faces: number[];
      }>(`(async () => {
        await tf.setBackend('${backend}');
        const generator = await tf.loadLayersModel('generator/model.json');
        const faces = generator.predict(tf.tensor2d(${JSON.stringify([...noise])}, [${COUNT}, ${MODEL.latentSize}]));
        return { backend: tf.getBackend(), shape: faces.shape, faces: [...(await faces.data())] };
      })()`);
      assert.equal(theirs.backend, backend);
      assert.deepEqual(theirs.shape, [COUNT, 32, 32, 3]);
      const difference = largestDifference(ours, theirs.faces);
      assert.ok(difference < TOLERANCE, `${backend}: they differ by ${difference}`);
    }
  });

  it('draws new faces and those between two in the example', async () => {
    await served.goto('index.html');
    await served.page.waitForSelector('body[data-ready=yes]');
    const pixels = (selector: string): Promise<number[]> =>
      served.evaluate(`(() => {
        const canvas = document.querySelector('${selector}');
        return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
      })()`);
    const slideTo = async (share: number): Promise<number[]> => {
      await served.evaluate(`(async () => { share.value = ${share}; await share.oninput(); })()`);
      return pixels('#between');
    };
    assert.equal(await served.evaluate(`document.querySelectorAll('#faces canvas').length`), 16);
    const noise = Float32Array.from(await served.evaluate<number[]>('[...noise.dataSync()]'));
    assert.equal(noise.length, 16 * MODEL.latentSize);
    const [first, second] = [0, 1].map((face) =>
      noise.subarray(face * MODEL.latentSize, (face + 1) * MODEL.latentSize),
    );
    const expectFace = async (actual: number[], z: Float32Array): Promise<void> => {
      const face = await facesOf(workplace.path('run'), MODEL, z);
      const colours = actual.filter((_, i) => i % 4 < 3);
      const difference = largestDifference(
        colours,
        face.map((value) => (value + 1) * 127.5),
      );
      assert.ok(difference < 0.6, `a pixel is off by ${difference}`);
    };
    await expectFace(await pixels('#faces :nth-child(1)'), first);
    await expectFace(await pixels('#faces :nth-child(2)'), second);
    await expectFace(await slideTo(0), first);
    await expectFace(await slideTo(1), second);
    await expectFace(await slideTo(0.25), onTheSphere(first, second, 0.25));

    const tensors = await served.evaluate<number>('tf.memory().numTensors');
    await served.evaluate(`document.getElementById('new').onclick()`);
    const others = Float32Array.from(await served.evaluate<number[]>('[...noise.dataSync()]'));
    assert.ok(!others.some((value, i) => value === noise[i]));
    await expectFace(await pixels('#faces :nth-child(1)'), others.subarray(0, MODEL.latentSize));
    assert.equal(await served.evaluate<number>('tf.memory().numTensors'), tensors);
    assert.equal(await served.evaluate(`document.getElementById('problem').textContent`), '');
    assert.deepEqual(served.problems, []);
  });

  it('comes back as the beginning of a run', async () => {
    const again = workplace.path('again');
    // The smallest step that Adam takes leaves the weights as they are.
    await workplace.quietRun(again, [
      ...['--steps', '1', '--sample-every', '0', '--init', 'site/generator', '--learning-rate', '1e-30'],
    ]);
    const [before, after] = [await generatorIn(workplace.path('run')), await generatorIn(again)];
    assert.ok(before.length > 1000);
    assert.deepEqual(after, before);
  });

  /** The generator's parameters in the newest checkpoint of a run. */
  async function generatorIn(run: string): Promise<Buffer> {
    const { spans } = stateLayout(modelLayout(MODEL));
    const { start, end } = spans.generator.parameters;
    return (await lastState(run)).subarray(start * 4, end * 4);
  }
});
