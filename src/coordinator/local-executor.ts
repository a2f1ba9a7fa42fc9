import { meanArray, type MeanArray } from '../averaging/mean-array.js';
import { PartPool } from '../averaging/part-pool.js';
import { writeShard } from '../averaging/shard-writer.js';
import { planAllHere } from '../averaging/sum-plan.js';
import { normOf, VectorSums } from '../averaging/vector-sums.js';
import { ShardBatches, type Faces, type Sampler } from '../data/index.js';
import { engineIdentity, type EngineName } from '../engine/engine.js';
import { engineEnvironment } from '../engine/environment.js';
import { visibleGpus } from '../engine/gpus.js';
import { IMAGE_CHANNELS } from '../model/architecture.js';
import { firstNotFinite } from '../model/gradient-norm.js';
import { modelLayout, type ModelLayout } from '../model/layout.js';
import { SAMPLE_COUNT, sampleNoise } from '../model/noise.js';
import { cutsOf, type RoundCuts } from '../model/round-cuts.js';
import { LocalSteps, type StepRange } from '../model/local-steps.js';
import { readMeasures, type Phase } from '../model/phase.js';
import { ReplicaHandle } from '../model/replica-handle.js';
import { sharedFloats } from '../model/replica-protocol.js';
import { NotFinite } from '../model/replica.js';
import { restoreState } from '../model/restore-state.js';
import { roundLayout, roundsOf, type RoundName } from '../model/round.js';
import { ShardTrainer, type ShardGradient } from '../model/shard-trainer.js';
import { fillInitialState, stateLayout } from '../model/state.js';
import { trainingLoad, type TrainingOptions } from '../model/training-options.js';
import { bytesOf } from '../common/bytes.js';
import { chunkOffsets } from '../wire/chunks.js';
import type { StateCopy, StateSource } from '../model/state-source.js';
import type { ComputeGroup, LocalOutcome, PhaseOutcome, Traffic } from './executor.js';
import { trainByAverage, trainLocally, type Average, type Averager } from './averaged-update.js';
import { TRIES, untilFinite, type NotFiniteElement } from './nonfinite-retry.js';

export interface SingleNodeOptions {
  readonly training: TrainingOptions;
  readonly engine: EngineName;
  readonly faces: Faces;
  readonly sampler: Sampler;
  readonly from: StateSource | undefined;
}

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** All shards in this process, one after the other, with no socket: the numbers are those of any number of workers. */
export class SingleNode implements ComputeGroup, Averager {
  readonly workers = 1;
  readonly #layout: ModelLayout;
  readonly #averaged: ReadonlyMap<RoundName, MeanArray>;
  readonly #cuts: RoundCuts;
  readonly #local: LocalSteps | undefined;
  readonly #pool = new PartPool();
  #copy: Float32Array | undefined;

  private constructor(
    private readonly training: TrainingOptions,
    readonly engine: string,
    private readonly replica: ReplicaHandle,
    private readonly computer: ShardTrainer,
  ) {
    this.#layout = modelLayout(training);
    this.#averaged = new Map(
      roundsOf(training).map((round) => [
        round,
        meanArray(roundLayout(round, training).length, training.wire),
      ]),
    );
    this.#cuts = cutsOf(training);
    if (training.localSteps !== undefined) this.#local = new LocalSteps(training, replica);
  }

  static async start({ training, engine, faces, sampler, from }: SingleNodeOptions): Promise<SingleNode> {
    Object.assign(process.env, engineEnvironment({ threads: training.threads, gpu: visibleGpus()[0] }));
    const replica = new ReplicaHandle();
    try {
      const loaded = await replica.call('load', trainingLoad(engine, training));
      const computer = new ShardTrainer(training, replica, new ShardBatches(faces, sampler));
      const node = new SingleNode(training, engineIdentity(loaded), replica, computer);
      await node.#restore(from);
      return node;
    } catch (error) {
      await replica.close();
      throw error;
    }
  }

  async train<P extends Phase>(phase: P, step: number): Promise<PhaseOutcome<P>> {
    const { shards, accumulate = 1, wire = 'fp32' } = this.training;
    if (shards > 1 || accumulate > 1 || wire !== 'fp32') return trainByAverage(this, phase, step);
    return untilFinite(phase, step, async (attempt) => {
      try {
        const { measures, seconds, gradientNorm } = await this.computer.train(phase, step);
        return {
          result: { measures: readMeasures(phase, measures), gradientNorm, computeSeconds: seconds },
        };
      } catch (error) {
        if (!(error instanceof NotFinite)) throw error;
        // The gradient stays in the engine: only to say what is wrong with it, it is computed once more.
        return {
          notFinite: attempt === TRIES ? (await this.compute(phase, step, true)).notFinite : undefined,
        };
      }
    });
  }

  trainLocally(steps: StepRange): Promise<LocalOutcome> {
    return trainLocally(this, steps, this.training.localSteps ?? 1);
  }

  async compute(round: RoundName, step: number, inspect: boolean, firstStep = step): Promise<Average> {
    const { shards } = this.training;
    const { normEnd } = roundLayout(round, this.training);
    const mean = this.#meanOf(round);
    const plan = planAllHere(this.training.summation, shards);
    const sums = new VectorSums({
      planOf: () => plan,
      ...{ mean, pool: this.#pool, gradientEnd: normEnd },
      onOperand: () => undefined,
      onMean: () => undefined,
    });
    let computeSeconds = 0;
    let notFinite: NotFiniteElement | undefined;
    if (round === 'local') this.#local?.begin();
    for (let shard = 0; shard < shards; shard++) {
      const { vector, seconds } = await this.#computeShard(round, { first: firstStep, last: step }, shard);
      const element = inspect && !notFinite ? firstNotFinite(vector) : undefined;
      if (element !== undefined) notFinite = { shard, worker: undefined, element };
      for (const { cut, payload } of writeShard(vector, this.#cuts(round), this.#pool))
        sums.add(shard, cut, payload);
      computeSeconds += seconds;
    }
    return { measures: mean.floats, gradientNorm: normOf(sums.squares), computeSeconds, notFinite };
  }

  async apply(round: RoundName, step: number): Promise<void> {
    const averaged = this.#meanOf(round).floats;
    if (round === 'local') {
      await this.#local?.takeOver(averaged);
      return;
    }
    await this.replica.call('apply', { phase: round, step, averaged });
  }

  async restart(from: StateSource | undefined): Promise<void> {
    await this.#restore(from);
  }

  async samples(): Promise<Float32Array> {
    const { seed, latentSize, imageSize } = this.training;
    const into = sharedFloats(SAMPLE_COUNT * imageSize ** 2 * IMAGE_CHANNELS);
    await this.#local?.comeBack();
    await this.replica.call('sample', { noise: sampleNoise(seed, latentSize), into });
    return into;
  }

  /** Memory for the copy is taken with the first one, and kept: a run without checkpoints needs none. */
  async copyState(): Promise<StateCopy> {
    const into = (this.#copy ??= sharedFloats(stateLayout(this.#layout).length));
    await this.#local?.comeBack();
    await this.replica.call('save', { into });
    const bytes = bytesOf(into);
    return {
      read: async (take) => {
        for (const { offset, length } of chunkOffsets(bytes.length))
          await take(bytes.subarray(offset, offset + length), offset);
      },
    };
  }

  traffic(): Traffic {
    return { sent: 0, received: 0, amongWorkers: 0 };
  }

  async close(): Promise<void> {
    await this.replica.close();
  }

  async #computeShard(round: RoundName, { first, last }: StepRange, shard: number): Promise<ShardGradient> {
    const isLast = shard + 1 === this.training.shards;
    const next = isLast ? { step: last + 1, shard: 0 } : { step: first, shard: shard + 1 };
    if (round !== 'local') return this.computer.compute(round, last, shard, next);
    const computed = await this.#local?.compute(this.computer, { first, last }, shard, next);
    if (!computed) throw new Error('the run has no local steps');
    return computed;
  }

  #meanOf(round: RoundName): MeanArray {
    const mean = this.#averaged.get(round);
    if (!mean) throw new Error(`the run has no round ${round}`);
    return mean;
  }

  async #restore(from: StateSource | undefined): Promise<void> {
    this.#local?.forget();
    const { seed } = this.training;
    await restoreState(this.replica, this.#layout, async ({ at, part }) => {
      if (from) bytesOf(part).set(await from.read(at * FLOAT, part.byteLength));
      else fillInitialState(this.#layout, seed, part, at);
    });
  }
}
