import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Beginning } from '../src/coordinator/run-origin.js';
import { CopyLost, type StateSource } from '../src/model/state-source.js';
import { StateLost, type ComputeGroup } from '../src/coordinator/executor.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { RunEvaluations } from '../src/evaluation/background-evaluation.js';
import { RunRecord } from '../src/coordinator/run-recorder.js';
import { RunFolder } from '../src/run/run-directory.js';
import { StepLog } from '../src/run/step-log.js';
import { trainToEnd, type TrainingParts } from '../src/coordinator/train-with-rewind.js';
import { faceBytes, Sampler, type Faces } from '../src/data/index.js';
import { modelLayout } from '../src/model/layout.js';
import { stateLayout } from '../src/model/state.js';
import { bytesOf } from '../src/common/bytes.js';
import { SMALL_TRAINING } from './support/small-model.js';
import { parsePrometheusText } from './support/prometheus-text.js';
import { lastState, readNumbers } from './support/trainer/run-results.js';
import { until } from './support/wire/until.js';

const { length } = stateLayout(modelLayout(SMALL_TRAINING));
const SEED = 0.5;
const LAST = 11;
const FROM_SEED: Pick<Beginning, 'name' | 'state'> = {
  name: 'the seed',
  state: () => Promise.resolve(undefined),
};

/** What is done when the state is lost: the place, as in "generator 7", and what else happens there. */
type Losses = [place: string, and?: () => Promise<void> | void][];

/** A state of one number, on which every loss depends, and which is lost where the test says. */
class FakeGroup {
  readonly workers = 1;
  readonly engine = 'none';
  readonly restarts: number[] = [];
  /** Whether each was given a state. */
  readonly given: boolean[] = [];
  #state = SEED;
  #step = 0;

  constructor(private readonly losses: Losses) {}

  async train(phase: string, step: number) {
    this.#step = step;
    await this.#pass(`${phase} ${step}`);
    this.#state = Math.fround(this.#state * 0.9 + step / (phase === 'generator' ? 8 : 4));
    return {
      measures: { loss: this.#state, realScore: 0.5, fakeScore: 0.25 },
      ...{ gradientNorm: 1, redone: 0, computeSeconds: 0 },
    };
  }

  async samples(): Promise<Float32Array> {
    await this.#pass(`samples ${this.#step}`);
    return new Float32Array(64 * 32 * 32 * 3);
  }

  async copyState() {
    await this.#pass(`copy ${this.#step}`);
    const copy = new Float32Array(length).fill(this.#state);
    return {
      read: async (take: (bytes: Uint8Array, offset: number) => Promise<void> | void) => {
        if (Number.isNaN(this.#state)) throw new CopyLost('gone');
        await take(bytesOf(copy), 0);
      },
    };
  }

  async restart(from: StateSource | undefined, firstStep: number): Promise<void> {
    this.restarts.push(firstStep);
    this.given.push(from !== undefined);
    this.#step = firstStep - 1;
    await this.#pass('restart');
    this.#state = from ? Buffer.from(await from.read(from.bytes - 4, 4)).readFloatLE() : SEED;
  }

  traffic() {
    return { sent: 0, received: 0, amongWorkers: 0 };
  }

  async #pass(place: string): Promise<void> {
    const index = this.losses.findIndex(([lost]) => lost === place);
    if (index < 0) return;
    const [[, and]] = this.losses.splice(index, 1);
    this.#state = NaN;
    await and?.();
    throw new StateLost();
  }
}

describe('training to the end', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const path = (name: string): string => join(folder, name);

  /** A run of the fake group, with everything else as it is. */
  async function train(
    name: string,
    losses: Losses,
    checkpointEvery = 4,
    stop = new AbortController(),
    beginning = FROM_SEED,
  ) {
    const run = await RunFolder.create(path(name));
    const log = await StepLog.create(run.statsFile);
    const metrics = new RunMetrics({ batchSize: 16 });
    const group = new FakeGroup(losses) as FakeGroup & ComputeGroup;
    const lines: string[] = [];
    const tell = (line: string): unknown => lines.push(line);
    const faces = { size: 32, fingerprint: 'f', read: () => faceBytes(32) } as unknown as Faces;
    const sampler = new Sampler({ count: 48, batch: 16, shards: 2, seed: 1 });
    const evaluations = new RunEvaluations({
      ...{ run, every: 0, engine: 'wasm', cache: folder, reals: '', log: tell, onEvaluated: () => undefined },
    });
    const record = new RunRecord({
      lock: { requireHeld: () => Promise.resolve() },
      ...{ run, log, group, metrics, faces, sampler, evaluations },
      options: { training: SMALL_TRAINING, sampleEvery: 5, checkpointEvery, keepCheckpoints: 3 },
      progress: { show: () => undefined, log: tell, stop: () => undefined },
      events: { add: () => undefined },
    });
    const status = { ready: false, step: 0, totalSteps: LAST };
    try {
      await trainToEnd({
        ...{ group, sampler, record: punctual(record, checkpointEvery), status, training: SMALL_TRAINING },
        ...{ beginning, firstStep: 1, lastStep: LAST, stop: stop.signal, log: tell },
      });
    } finally {
      await record.close();
      await record.losses(); // of those under way, since closing has given up the others
      await log.close();
    }
    const shown = parsePrometheusText(await metrics.registry.metrics());
    const gauge = (of: string): number | undefined => shown.get(of)?.samples.get(of);
    return { lines, status, restarts: group.restarts, given: group.given, gauge };
  }

  /** Steps of a fake take no time: the next waits until a checkpoint is in its place, so that it is known where it is. */
  function punctual(record: RunRecord, checkpointEvery: number): TrainingParts['record'] {
    return {
      beginning: () => record.beginning(),
      step: async (outcome) => {
        await record.step(outcome);
        const { step } = outcome.record;
        if (step % checkpointEvery === 0)
          await until(`checkpoint ${step}`, () => record.lastCheckpoint?.step === step);
      },
      end: (step, epoch) => record.end(step, epoch),
      rewind: () => record.rewind(),
    };
  }

  const checkpoints = async (name: string): Promise<string[]> =>
    (await readdir(path(`${name}/checkpoints`))).sort();

  async function expectUndisturbed(name: string): Promise<void> {
    assert.deepEqual(await readNumbers(path(name)), await readNumbers(path('undisturbed')));
    assert.ok((await lastState(path(name))).equals(await lastState(path('undisturbed'))));
    assert.deepEqual(await checkpoints(name), await checkpoints('undisturbed'));
  }

  it('goes back to the newest checkpoint where the state is lost, and is the run that lost nothing', async () => {
    const undisturbed = await train('undisturbed', []);
    assert.deepEqual([undisturbed.restarts, undisturbed.status.step], [[], LAST]);
    const cases: [name: string, places: string[], restarts: number[]][] = [
      ['before-a-checkpoint', ['discriminator 3'], [1]],
      ['between-phases', ['generator 7'], [5]],
      ['again-and-again', ['generator 2', 'discriminator 7', 'generator 7', 'generator 10'], [1, 5, 5, 9]],
      ['while-it-goes-back', ['generator 7', 'restart'], [5, 5]],
      ['at-the-beginning', ['samples 0'], [1]],
      ['in-a-copy', ['copy 8'], [5]],
      ['in-the-last-copy', ['copy 11'], [9]],
    ];
    for (const [name, places, restarts] of cases) {
      const run = await train(
        name,
        places.map((place) => [place]),
      );
      assert.deepEqual(run.restarts, restarts, name);
      assert.deepEqual(
        run.lines.filter((line) => line.startsWith('no worker holds the state any more: ')),
        restarts.map(
          (first) =>
            `no worker holds the state any more: ${first === 1 ? 'restarting from the seed' : `returning to step ${first - 1}`}`,
        ),
      );
      assert.deepEqual(run.status, { ready: true, step: LAST, totalSteps: LAST });
      assert.deepEqual([run.gauge('dcgan_step'), run.gauge('dcgan_checkpoint_step')], [LAST, LAST]);
      await expectUndisturbed(name);
    }
  });

  it('begins again from the weights that it began with', async () => {
    await train('undisturbed', []);
    const state = new Float32Array(length).fill(SEED);
    const beginning = {
      name: 'the weights of faces',
      state: () =>
        Promise.resolve({
          ...{ bytes: state.byteLength, digest: '' },
          read: (at: number, size: number) => Promise.resolve(bytesOf(state).subarray(at, at + size)),
        }),
    };
    const { restarts, given, lines } = await train('given', [['generator 3']], 4, undefined, beginning);
    assert.deepEqual([restarts, given], [[1], [true]]);
    assert.deepEqual(lines, ['no worker holds the state any more: restarting from the weights of faces']);
    await expectUndisturbed('given');
  });

  it('goes back past a checkpoint that is damaged, and makes it again', async () => {
    await train('undisturbed', []);
    const damaged = path('past/checkpoints/step-000008.safetensors');
    const { restarts } = await train('past', [['generator 10', () => truncate(damaged, 50_000)]]);
    assert.deepEqual(restarts, [5]);
    await expectUndisturbed('past');
  });

  it('ends with what is left where it is to stop anyway', async () => {
    const stop = new AbortController();
    const stopped = train(
      'stopped',
      [
        [
          'generator 7',
          () => {
            stop.abort();
          },
        ],
      ],
      4,
      stop,
    );
    await assert.rejects(stopped, StateLost);
    assert.deepEqual(await checkpoints('stopped'), ['step-000004.safetensors']);
  });

  it('ends where nothing is done between one loss and the next', async () => {
    const lost: Losses = ['generator 5', 'restart', 'discriminator 5'].map((place) => [place]);
    await assert.rejects(train('in-vain', lost), StateLost);
    assert.equal(lost.length, 0);
    assert.match(await readFile(path('in-vain/stats.jsonl'), 'utf8'), /"step":4[^\n]*\n$/);
  });
});
