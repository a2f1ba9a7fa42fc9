import { updateAt } from '../../../model/phase.js';
import { lastUpdate, roundAt, type RoundName } from '../../../model/round.js';
import type { TrainingOptions } from '../../../model/training-options.js';
import type { Log } from '../../../common/log.js';
import type { Average } from '../../averaged-update.js';
import { untilFinite } from '../../nonfinite-retry.js';
import type { Expectations } from '../pending-waits.js';
import type { Post } from '../worker-channel.js';
import type { Quorum } from './quorum.js';
import type { Plan, Recovery } from './recovery.js';
import type { Regroup } from './reassignment.js';
import type { Member, Roster } from './roster.js';
import type { RoundOrder, Rounds } from '../rounds/rounds.js';
import type { RouteLost, Routes } from '../rounds/routes.js';

/** How long a membership may take to begin, states and images included, in milliseconds. */
const JOIN_TIMEOUT = 600_000;

export interface AssemblyParts {
  readonly training: TrainingOptions;
  readonly roster: Roster;
  readonly recovery: Recovery;
  readonly quorum: Quorum;
  readonly rounds: Rounds;
  readonly routes: Routes;
  readonly regroup: Regroup;
  readonly expectations: Expectations;
  readonly post: Post;
  readonly log: Log;
  /** A worker does not answer in this many milliseconds. */
  readonly onLate: (member: Member | undefined, milliseconds: number) => void;
}

/** Brings workers together, each with its shards and the state that the run has come to, and has them make updates. */
export class Assembly {
  /** Whether the round before went among workers. */
  #amongWorkers = false;
  /** Ends the wait for a membership that begins. */
  #onPrepared = (): void => undefined;
  #onRouteLost: (lost: RouteLost) => void = () => undefined;

  constructor(private readonly parts: AssemblyParts) {}

  /** Those that have shards. */
  get group(): Member[] {
    const { roster, recovery } = this.parts;
    return roster.all().filter(({ number }) => recovery.isGrouped(number));
  }

  /** Whether enough workers are in one membership, and hold what the run has come to. */
  get isComplete(): boolean {
    return this.#isTogether && !this.parts.recovery.isBehind;
  }

  /**
   * Brings workers together until enough are, and has them make the last update again where nobody holds what it came
   * to. Rejects with WorkerLost and RouteLost, and with StateLost and WorkersGone.
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
    const { recovery, rounds, post } = this.parts;
    const { group } = this;
    if (!this.#amongWorkers) rounds.applied(phase);
    recovery.updated(!this.#amongWorkers, lastUpdate(phase, step) + 1);
    return post.toAll(group, 'apply', {}, { phase, step });
  }

  /** One more worker is prepared for the membership that begins. */
  prepared(): void {
    this.#onPrepared();
  }

  /** The way that gradients were to take is lost: the membership that begins, or computes, is no use. */
  routeLost(lost: RouteLost): void {
    this.parts.rounds.interrupt(lost);
    this.#onRouteLost(lost);
  }

  get #isTogether(): boolean {
    return this.parts.recovery.ready && this.parts.quorum.isHere;
  }

  async #bringTogether(): Promise<void> {
    const { quorum } = this.parts;
    while (!this.#isTogether)
      if (quorum.isHere) await this.#beginMembership();
      else await quorum.gathered();
  }

  async #beginMembership(): Promise<void> {
    const { recovery, roster, regroup, expectations, onLate } = this.parts;
    const plan = this.#plan();
    const inPlan = new Set(plan.assignments.map(({ worker }) => worker));
    const prepared = expectations.expect((worker) => inPlan.has(worker) || regroup.isGiving(worker));
    this.#onPrepared = () => {
      // Who comes meanwhile is for the next membership.
      if ([...inPlan].every((worker) => recovery.isPrepared(worker))) prepared.resolve();
    };
    this.#onRouteLost = prepared.reject;
    await regroup.carryOut(plan, recovery.update);
    await expectations.within(JOIN_TIMEOUT, prepared, () => {
      for (const worker of inPlan) if (!recovery.isPrepared(worker)) onLate(roster.get(worker), JOIN_TIMEOUT);
    });
    regroup.end();
  }

  #plan(): Plan {
    const { recovery, rounds, log } = this.parts;
    if (!rounds.keepsAverageOf(recovery.version - 1)) recovery.dropAverage();
    const wasBehind = recovery.isBehind;
    const plan = recovery.regroup();
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
