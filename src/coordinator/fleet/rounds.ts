import { PartPool } from '../../averaging/part-pool.js';
import { modelLayout } from '../../model/layout.js';
import { phaseLayout, updateAt, type Phase } from '../../model/phase.js';
import type { TrainingOptions } from '../../model/training-options.js';
import { bytesOf } from '../../wire/chunks.js';
import { Content, type MessageOf } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import type { RunMetrics } from '../metrics/run-metrics.js';
import type { Average } from '../train-by-average.js';
import { Averages } from './averages.js';
import { StepDeadline } from './deadline.js';
import type { Expectations } from './expectations.js';
import { PhaseRound } from './phase-round.js';
import type { Post } from './post.js';
import type { Member } from './roster.js';

export interface RoundsParts {
  readonly training: TrainingOptions;
  /** Silence for so many milliseconds is a lost connection. */
  readonly liveness: number;
  readonly post: Post;
  readonly expectations: Expectations;
  readonly metrics: RunMetrics;
  /** Workers that have not sent everything in so many milliseconds. */
  readonly onLate: (workers: readonly number[], milliseconds: number) => void;
}

/** What of the run is computed: a phase at a time, by a group of workers. */
export interface RoundOrder {
  readonly phase: Phase;
  readonly step: number;
  readonly group: readonly Member[];
  readonly workerOfShard: ReadonlyMap<number, number>;
  /** Whether to look for elements that are not finite. */
  readonly inspect: boolean;
}

/** Has workers compute phases, sums what they send, and sends the averages while they still come in. */
export class Rounds {
  readonly #averages: Averages;
  readonly #deadline: StepDeadline;
  readonly #pool = new PartPool();
  #current:
    { readonly round: PhaseRound; readonly order: RoundOrder; readonly onDone: () => void } | undefined;

  constructor(private readonly parts: RoundsParts) {
    this.#averages = new Averages(parts.training);
    this.#deadline = new StepDeadline(parts.liveness);
  }

  /** The average that an update was made by, until the next round of its phase begins. */
  averageOf(update: number): Float32Array {
    return this.#averages.current(updateAt(update).phase).floats;
  }

  /** When this has resolved, the whole average is on its way to the group. Rejects with WorkerLost. */
  async compute(order: RoundOrder): Promise<Average> {
    const { phase, step, group, workerOfShard, inspect } = order;
    const { training, post, expectations, metrics, onLate } = this.parts;
    const { gradient } = phaseLayout(phase, modelLayout(training));
    const into = this.#averages.next(phase);
    const round = new PhaseRound({
      ...{ phase, step, workerOfShard, inspect, into },
      ...{ summation: training.summation, pool: this.#pool, gradientEnd: gradient.end },
    });
    const done = expectations.expect((worker) => group.some(({ number }) => number === worker));
    this.#current = { round, order, onDone: done.resolve };
    const started = performance.now();
    const limit = this.#deadline.milliseconds;
    try {
      await post.toAll(group, 'compute', {}, { phase, step });
      await expectations.within(limit, done, () => {
        onLate(round.late, limit);
      });
    } finally {
      this.#current = undefined;
      this.#pool.releaseAll();
    }
    this.#deadline.took(performance.now() - started);
    const seconds = [...round.secondsOfWorker];
    const hosts = [...workerOfShard.values()];
    for (const [worker, spent] of seconds) {
      const shards = hosts.filter((host) => host === worker).length;
      metrics.recordWorkerPhase(String(worker), phase, { seconds: spent, shards });
    }
    const computeSeconds = Math.max(...seconds.map(([, spent]) => spent));
    const { notFinite } = round;
    return { vector: round.mean(), gradientNorm: round.gradientNorm(), computeSeconds, notFinite };
  }

  /** The group was told to apply the phase's average. */
  applied(phase: Phase): void {
    this.#averages.applied(phase);
  }

  /** Sums a part of a shard's gradient; where it was the last one, that part of the average goes out at once. */
  addGradient({ number }: Member, message: MessageOf<'chunk'>): Promise<void> | undefined {
    const { round, order } = this.#underWay();
    const { offset, total } = message.body;
    const whole = round.addChunk(number, message, message.body);
    if (!whole) return;
    const { phase, step, group } = order;
    // Nothing is copied: what is summed next into this array is of gradients that every worker computes when it has
    // this average, or goes into another array.
    const chunk = { content: Content.AVERAGE, shard: 0, offset, total, request: 0, payload: bytesOf(whole) };
    return this.parts.post.toAll(group, 'chunk', chunk, { phase, step });
  }

  shardDone({ number }: Member, message: MessageOf<'shardDone'>): void {
    const { round, onDone } = this.#underWay();
    round.shardDone(number, message, message.body);
    if (round.complete) onDone();
  }

  /** Between rounds there may be what is left of one that was given up. */
  #underWay() {
    if (!this.#current) throw new Rejection('wrong_generation', 'a gradient that is not waited for any more');
    return this.#current;
  }
}
