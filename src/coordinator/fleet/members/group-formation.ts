import { updateAt } from '../../../model/phase.js';
import { lastUpdate, roundAt, type RoundName } from '../../../model/round.js';
import type { TrainingOptions } from '../../../model/training-options.js';
import type { Log } from '../../../common/log.js';
import type { Average } from '../../averaged-update.js';
import { untilFinite } from '../../nonfinite-retry.js';
import type { PendingReplies } from '../pending-replies.js';
import type { WorkerChannel } from '../worker-channel.js';
import type { Quorum } from './quorum.js';
import type { Plan, Recovery } from './recovery.js';
import type { Reassignment } from './reassignment.js';
import type { Member, Roster } from './roster.js';
import type { RoundOrder, Rounds } from '../rounds/rounds.js';
import type { RouteLost, Routes } from '../rounds/routes.js';

/** Milliseconds for a generation to start, including the transfer of states and images. */
const JOIN_TIMEOUT = 600_000;

export interface GroupFormationParts {
  readonly training: TrainingOptions;
  readonly roster: Roster;
  readonly recovery: Recovery;
  readonly quorum: Quorum;
  readonly rounds: Rounds;
  readonly routes: Routes;
  readonly reassignment: Reassignment;
  readonly replies: PendingReplies;
  readonly channel: WorkerChannel;
  readonly log: Log;
  /** A worker does not answer in this many milliseconds. */
  readonly onLate: (member: Member | undefined, milliseconds: number) => void;
}

/** Brings workers together, each with its shards and the state that the run has come to, and has them make updates. */
export class GroupFormation {
  /** True if the last round was averaged between workers. */
  #amongWorkers = false;
  /** Ends the wait for a generation that begins. */
  #onPrepared = (): void => undefined;
  #onRouteLost: (lost: RouteLost) => void = () => undefined;

  constructor(private readonly parts: GroupFormationParts) {}

  /** Those that have shards. */
  get group(): Member[] {
    const { roster, recovery } = this.parts;
    return roster.all().filter(({ number }) => recovery.isGrouped(number));
  }

  /** True if enough workers share a generation and hold the current state. */
  get isComplete(): boolean {
    return this.#isTogether && !this.parts.recovery.isBehind;
  }

  /**
   * Gathers workers until there are enough. Recomputes the last update if no worker holds its result. Rejects with
   * WorkerLost, RouteLost, StateLost or WorkersGone.
   */
  async complete(): Promise<void> {
    // Somebody may leave between the end of each and the next.
    while (!this.isComplete) {
      await this.#bringTogether();
      if (this.parts.recovery.isBehind) await this.#makeAgain();
    }
  }

  /** Has the group, as it is, compute a round. Rejects with WorkerLost and RouteLost. */
  compute(round: Pick<RoundOrder, 'phase' | 'firstStep' | 'step' | 'inspect'>): Promise<Average> {
    const { recovery, routes, rounds } = this.parts;
    // What is not finite is looked for here.
    this.#amongWorkers = routes.amongWorkers && !round.inspect;
    const workerOfShard = recovery.workerOfShard();
    return rounds.compute({ ...round, group: this.group, workerOfShard, amongWorkers: this.#amongWorkers });
  }

  /** Has the group update its replicas by the round's average, and books it. */
  apply(phase: RoundName, step: number): Promise<void> {
    const { recovery, rounds, channel } = this.parts;
    const { group } = this;
    if (!this.#amongWorkers) rounds.applied(phase);
    recovery.updated(!this.#amongWorkers, lastUpdate(phase, step) + 1);
    return channel.toAll(group, 'apply', {}, { phase, step });
  }

  /** One more worker is prepared for the generation that begins. */
  prepared(): void {
    this.#onPrepared();
  }

  /** The way that gradients were to take is lost: the generation that begins, or computes, is no use. */
  routeLost(lost: RouteLost): void {
    this.parts.rounds.interrupt(lost);
    this.#onRouteLost(lost);
  }

  get #isTogether(): boolean {
    return this.parts.recovery.ready && this.parts.quorum.isReached;
  }

  async #bringTogether(): Promise<void> {
    const { quorum } = this.parts;
    while (!this.#isTogether)
      if (quorum.isReached) await this.#startGeneration();
      else await quorum.gathered();
  }

  async #startGeneration(): Promise<void> {
    const { recovery, roster, reassignment, replies, onLate } = this.parts;
    const plan = this.#plan();
    const inPlan = new Set(plan.assignments.map(({ worker }) => worker));
    const prepared = replies.expect((worker) => inPlan.has(worker) || reassignment.isGiving(worker));
    this.#onPrepared = () => {
      // Who comes meanwhile is for the next generation.
      if ([...inPlan].every((worker) => recovery.isPrepared(worker))) prepared.resolve();
    };
    this.#onRouteLost = prepared.reject;
    await reassignment.carryOut(plan, recovery.update);
    await replies.within(JOIN_TIMEOUT, prepared, () => {
      for (const worker of inPlan) if (!recovery.isPrepared(worker)) onLate(roster.get(worker), JOIN_TIMEOUT);
    });
    reassignment.end();
  }

  #plan(): Plan {
    const { recovery, rounds, log } = this.parts;
    if (!rounds.keepsAverageOf(recovery.version - 1)) recovery.dropAverage();
    const wasBehind = recovery.isBehind;
    const plan = recovery.reassignment();
    if (recovery.isBehind && !wasBehind) {
      const { phase, step } = this.#lastRound();
      const what = phase === 'local' ? 'the local steps up to' : `the ${phase}'s update of`;
      log(
        `no worker holds the state after ${what} step ${step} any more: it is made again from the one before`,
        { level: 'warn', event: 'rewound' },
      );
    }
    return plan;
  }

  /**
   * The last round once more, from the state before it: among workers or through the coordinator, as any other. The run
   * has counted and logged it, and so it is as it was: nothing of this one is recorded.
   */
  async #makeAgain(): Promise<void> {
    const { phase, step } = this.#lastRound();
    const firstStep = updateAt(this.parts.recovery.update).step;
    await untilFinite(phase, step, async (attempt) => {
      while (!this.#isTogether) await this.#bringTogether();
      // Somebody has come back with what the round came to.
      if (!this.parts.recovery.isBehind) return { result: {} };
      const round = { phase, firstStep, step, inspect: attempt > 1 };
      const { gradientNorm, notFinite } = await this.compute(round);
      if (!Number.isFinite(gradientNorm)) return { notFinite };
      await this.apply(phase, step);
      return { result: {} };
    });
  }

  /** The round that made the run's last update. */
  #lastRound(): { readonly phase: RoundName; readonly step: number } {
    const { recovery, training } = this.parts;
    return roundAt(recovery.version - 1, training);
  }
}
