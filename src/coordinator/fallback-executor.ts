import type { Log } from '../common/log.js';
import type { StepRange } from '../model/local-steps.js';
import type { Phase } from '../model/phase.js';
import type { StateCopy, StateSource } from '../model/state-source.js';
import {
  StateLost,
  WorkersGone,
  type ComputeGroup,
  type LocalOutcome,
  type PhaseOutcome,
  type Traffic,
} from './executor.js';

/** Starts a group of this process alone, from a state. */
export type StartAlone = (from: StateSource | undefined) => Promise<ComputeGroup>;

/**
 * The workers of a run and, once none of them is left, this process alone in their place: it has no state of its own,
 * so the run loses its state with its workers, and is begun again from the last one that was kept.
 */
export class LoneSuccessor implements ComputeGroup {
  #isAlone = false;

  constructor(
    private group: ComputeGroup,
    private readonly startAlone: StartAlone,
    private readonly log: Log,
  ) {}

  get workers(): number {
    return this.group.workers;
  }

  get engine(): string {
    return this.group.engine;
  }

  train<P extends Phase>(phase: P, step: number): Promise<PhaseOutcome<P>> {
    return this.#orSucceed(() => this.group.train(phase, step));
  }

  trainLocally(steps: StepRange): Promise<LocalOutcome> {
    return this.#orSucceed(() => this.group.trainLocally(steps));
  }

  samples(): Promise<Float32Array> {
    return this.#orSucceed(() => this.group.samples());
  }

  copyState(): Promise<StateCopy> {
    return this.#orSucceed(() => this.group.copyState());
  }

  async restart(from: StateSource | undefined, firstStep: number): Promise<void> {
    if (!this.#isAlone) return this.group.restart(from, firstStep);
    const { engine } = this.group;
    await this.group.close();
    this.group = await this.startAlone(from);
    if (this.group.engine !== engine)
      this.log(
        `the workers computed with ${engine}; with ${this.group.engine} the run will not be the same bit for bit`,
      );
  }

  traffic(): Traffic {
    return this.group.traffic();
  }

  close(): Promise<void> {
    return this.group.close();
  }

  async #orSucceed<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof WorkersGone) || this.#isAlone) throw error;
      this.#isAlone = true;
      this.log(`${error.message}: continuing in this process alone`, { level: 'warn' });
      throw new StateLost({ cause: error });
    }
  }
}
