import type { MeanArray } from '../../../averaging/mean-array.js';
import { PartPool } from '../../../averaging/part-pool.js';
import { awakeTime } from '../../../common/process/awake.js';
import type { Deferred } from '../../../common/deferred.js';
import type { Log } from '../../../common/log.js';
import { cutsOf, type RoundCuts } from '../../../model/round-cuts.js';
import { roundAt, roundLayout, roundsOf, type RoundName } from '../../../model/round.js';
import type { TrainingOptions } from '../../../model/training-options.js';
import { Content, type MessageOf } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';
import { vectorChunk } from '../../../wire/vector-chunks.js';
import type { RunMetrics } from '../../../monitoring/metrics/run-metrics.js';
import type { Average } from '../../averaged-update.js';
import { AverageBuffers } from './average-buffers.js';
import { RoundDeadline } from './round-deadline.js';
import type { PendingReplies } from '../pending-replies.js';
import { StarRound } from './star-round.js';
import type { WorkerChannel } from '../worker-channel.js';
import { describe, type Member } from '../members/roster.js';
import type { RouteLost } from './routes.js';
import { SLOW_STEPS, Stragglers } from './stragglers.js';
import { PeerRound } from './peer-round.js';

export interface RoundsParts {
  readonly training: TrainingOptions;
  /** Silence for so many milliseconds is a lost connection. */
  readonly liveness: number;
  readonly channel: WorkerChannel;
  readonly replies: PendingReplies;
  readonly metrics: RunMetrics;
  readonly log: Log;
  /** Workers that have not sent everything in so many milliseconds. */
  readonly onLate: (workers: readonly number[], milliseconds: number) => void;
}

/** A round: a phase or local steps, computed by a group of workers. */
export interface RoundOrder {
  readonly phase: RoundName;
  /** First and last step of local steps; equal for a phase. */
  readonly firstStep: number;
  readonly step: number;
  readonly group: readonly Member[];
  readonly workerOfShard: ReadonlyMap<number, number>;
  /** True to search for non-finite elements. */
  readonly inspect: boolean;
  /** True if the workers average between themselves. */
  readonly amongWorkers: boolean;
}

type Current = { readonly order: RoundOrder; readonly done: Deferred<void> } & (
  { readonly way: 'star'; readonly round: StarRound } | { readonly way: 'workers'; readonly round: PeerRound }
);

/** Has workers compute phases, sums what they send, and sends the averages while they still come in. */
export class Rounds {
  readonly #averages: AverageBuffers;
  readonly #deadline: RoundDeadline;
  readonly #pool = new PartPool();
  #bytesAmongWorkers = 0;
  readonly #stragglers: Stragglers;
  /** Cuts of each round's vector. */
  readonly #cuts: RoundCuts;
  #current: Current | undefined;

  constructor(private readonly parts: RoundsParts) {
    this.#cuts = cutsOf(parts.training);
    this.#averages = new AverageBuffers(parts.training);
    const { training, liveness } = parts;
    this.#stragglers = new Stragglers(roundsOf(training));
    // Of a round of local steps, each is two phases.
    const { accumulate = 1, localSteps } = training;
    this.#deadline = new RoundDeadline(
      liveness,
      accumulate * (localSteps === undefined ? 1 : 2 * localSteps),
    );
  }

  /** That workers said they have sent to others, so far. */
  get bytesAmongWorkers(): number {
    return this.#bytesAmongWorkers;
  }

  /** Current deadline of a phase in milliseconds. */
  get phaseTime(): number {
    return this.#deadline.milliseconds;
  }

  /** The average that an update was made by, where it is kept. */
  averageOf(update: number): MeanArray {
    return this.#averages.current(roundAt(update, this.parts.training).phase);
  }

  /** Returns whether the average of the last update is intact: with local steps, the next round overwrites it. */
  keepsAverageOf(update: number): boolean {
    return this.#averages.keeps(roundAt(update, this.parts.training).phase);
  }

  /**
   * When this has resolved, the whole average is on its way to the group, or all of it has it. Rejects with WorkerLost
   * and RouteLost.
   */
  async compute(order: RoundOrder): Promise<Average> {
    const { phase, firstStep, step, group, workerOfShard, inspect, amongWorkers } = order;
    const steps = step - firstStep + 1;
    const { channel, replies, metrics, onLate } = this.parts;
    const done = replies.expect((worker) => group.some(({ number }) => number === worker));
    const current: Current = amongWorkers
      ? { order, done, way: 'workers', round: this.#workersRound(order) }
      : { order, done, way: 'star', round: this.#star(order) };
    const { round } = current;
    this.#current = current;
    // Whoever computes this has read the averages before it.
    this.parts.channel.segments?.beginAnew();
    const started = awakeTime();
    const limit = this.#deadline.milliseconds;
    try {
      const body = { collect: !amongWorkers, steps: phase === 'local' ? steps : 0 };
      await channel.toAll(group, 'compute', body, { phase, step });
      await replies.within(limit, done, () => {
        onLate(round.late, limit);
      });
    } finally {
      this.#current = undefined;
      this.#pool.releaseAll();
    }
    this.#deadline.took(awakeTime() - started);
    const seconds = [...round.secondsOfWorker];
    const hosts = [...workerOfShard.values()];
    const secondsOfShard = new Map<number, number>();
    for (const [worker, spent] of seconds) {
      const shards = hosts.filter((host) => host === worker).length;
      metrics.recordWorkerPhase(String(worker), phase, { seconds: spent / steps, shards });
      secondsOfShard.set(worker, spent / shards / steps);
    }
    this.#nameStragglers(order, secondsOfShard);
    const computeSeconds = Math.max(...seconds.map(([, spent]) => spent));
    if (current.way === 'workers') return { ...current.round.result, computeSeconds };
    const { notFinite } = current.round;
    const [measures, gradientNorm] = [current.round.mean(), current.round.gradientNorm()];
    return { measures, gradientNorm, computeSeconds, notFinite: inspect ? notFinite : undefined };
  }

  /** The way that the round under way takes is lost. */
  interrupt(error: RouteLost): void {
    this.#current?.done.reject(error);
  }

  /** The group was told to apply the phase's average, which is here unless it was made among workers. */
  applied(phase: RoundName): void {
    this.#averages.applied(phase);
  }

  /** Sums a part of a shard's gradient; where it was the last one, that part of the average goes out at once. */
  addGradient({ number }: Member, message: MessageOf<'chunk'>): Promise<void> | undefined {
    const { way, round, order } = this.#underWay();
    if (way !== 'star') throw new Rejection('unexpected', 'a gradient that goes to another worker');
    const whole = round.addChunk(number, message, message.body);
    if (!whole) return;
    const { phase, step, group } = order;
    this.#averages.overwritten(phase);
    // Nothing is copied: what is summed next into this array is of gradients that every worker computes when it has
    // this average, or goes into another array.
    const { cut, payload } = whole;
    const { length } = this.#averages.current(phase).floats;
    const place = { offset: cut.offset, format: cut.format };
    const chunk = vectorChunk({ content: Content.AVERAGE, shard: 0, length }, place, payload);
    return this.parts.channel.share(group, chunk, { phase, step });
  }

  shardDone({ number }: Member, message: MessageOf<'shardDone'>): void {
    const { round, done } = this.#underWay();
    round.shardDone(number, message, message.body);
    if (round.complete) done.resolve();
  }

  averaged({ number }: Member, message: MessageOf<'averaged'>): void {
    const { way, round, done } = this.#underWay();
    if (way !== 'workers') throw new Rejection('unexpected', 'a mean that is made here');
    round.averaged(number, message, message.body);
    this.#bytesAmongWorkers += message.body.sentBytes;
    this.parts.metrics.countWireBytes('among_workers', message.body.sentBytes);
    if (round.complete) done.resolve();
  }

  #nameStragglers({ phase, group }: RoundOrder, secondsOfShard: ReadonlyMap<number, number>): void {
    for (const { worker, seconds, others } of this.#stragglers.took(phase, secondsOfShard)) {
      const member = group.find(({ number }) => number === worker);
      this.parts.log(
        `${member ? describe(member) : `worker ${worker}`} is slow: it takes ${seconds.toPrecision(3)} s for a shard, ` +
          `the others ${others.toPrecision(3)} s, for ${SLOW_STEPS} steps now, and all wait for it`,
        { level: 'warn', worker, event: 'slow' },
      );
    }
  }

  #star({ phase, step, workerOfShard, inspect }: RoundOrder): StarRound {
    const { training } = this.parts;
    return new StarRound({
      ...{ phase, step, workerOfShard, inspect, into: this.#averages.next(phase) },
      ...{ summation: training.summation, pool: this.#pool },
      gradientEnd: roundLayout(phase, training).normEnd,
      cuts: this.#cuts(phase),
    });
  }

  #workersRound(order: RoundOrder): PeerRound {
    const { measures } = roundLayout(order.phase, this.parts.training);
    return new PeerRound({ ...order, measures, parts: this.#cuts(order.phase).length });
  }

  /** Ignores messages of an abandoned round. */
  #underWay(): Current {
    if (!this.#current) throw new Rejection('wrong_generation', 'a gradient that is not waited for any more');
    return this.#current;
  }
}
