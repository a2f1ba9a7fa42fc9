import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { awakeTimeout } from '../common/process/awake.js';
import { messageOf } from '../common/errors.js';
import type { Log } from '../common/log.js';
import { runChild } from '../data/child-job.js';
import { temporaryPackPath } from '../data/index.js';
import type { EngineChoice } from '../engine/engine.js';
import type { StepRange } from '../model/local-steps.js';
import { roundUpTo } from '../model/round.js';
import type { TrainingOptions } from '../model/training-options.js';
import { isDue } from '../model/is-due.js';
import type { RunFolder } from '../run/run-directory.js';
import type { LoggedEvaluation } from '../run/step-record.js';
import type { EvaluationRequest } from './evaluation-process.js';
import { evaluationLine } from './evaluation-text.js';
import { loggedPart, readEvaluation, type StepEvaluation } from './evaluation-file.js';

/** Samples of a background evaluation: half of those of `coordinator evaluate`, since training continues. */
export const EVALUATED_SAMPLES = 500;

/** Timeout of an evaluation, and of one at the end of a run, in milliseconds. */
const LIMIT = 15 * 60_000;
const LAST_LIMIT = 3 * 60_000;

export interface RunEvaluationsParts {
  readonly run: RunFolder;
  readonly training?: Pick<TrainingOptions, 'localSteps'>;
  /** Steps between evaluations; 0: never. */
  readonly every: number;
  /** The cache folder. */
  readonly cache: string;
  /** The pack of real faces, in it. */
  readonly reals: string;
  readonly engine: EngineChoice;
  readonly log: Log;
  /** Told when there is a new one. */
  readonly onEvaluated: (evaluation: LoggedEvaluation) => void;
  /** Milliseconds. */
  readonly limit?: number;
}

interface Running {
  readonly step: number;
  readonly abort: AbortController;
  /** Never rejects. */
  readonly done: Promise<void>;
}

/** Evaluates checkpoints of a run while it trains: one at a time, in a process of low priority. Close it. */
export class RunEvaluations {
  /** Steps whose checkpoints are to be evaluated once they are written. */
  #expected: readonly number[] = [];
  #running: Running | undefined;
  #finished: LoggedEvaluation | undefined;

  constructor(private readonly parts: RunEvaluationsParts) {}

  isDue(steps: StepRange): boolean {
    return isDue(steps, this.parts.every);
  }

  /** The checkpoint of this step is to be evaluated, or of one soon after where its copy is lost. */
  expect(step: number): void {
    this.#expected = [...this.#expected, step];
  }

  /** A checkpoint of this step is in its place. */
  written(step: number): void {
    const later = this.#expected.filter((each) => each > step);
    if (later.length === this.#expected.length) return;
    this.#expected = later;
    if (this.#running) {
      const { log } = this.parts;
      log(`step ${step} is not evaluated: the evaluation of step ${this.#running.step} still goes on`, {
        level: 'warn',
      });
    } else this.#begin(step);
  }

  /** Returns the evaluation that arrived since the last call, for the next line of the log. */
  take(): LoggedEvaluation | undefined {
    const finished = this.#finished;
    this.#finished = undefined;
    return finished;
  }

  /**
   * Prepares to resume after this step. `logged`: last step whose evaluation is in the log. Later evaluations are
   * logged again, and an interrupted one is repeated.
   */
  async goOnFrom(step: number, logged: number): Promise<void> {
    await this.#giveUp();
    await this.#removeHalves();
    const earlier = (await this.parts.run.evaluationSteps()).filter((each) => each <= step);
    const last = earlier.at(-1);
    const evaluation = last === undefined ? undefined : await readEvaluation(this.parts.run, last);
    if (evaluation) {
      const part = loggedPart(evaluation);
      this.#finished = part.step > logged ? part : undefined;
      this.parts.onEvaluated(part);
    }
    const isDue = step > 0 && this.isDue(roundUpTo(step, this.parts.training ?? {}));
    if (isDue && last !== step) this.#begin(step);
  }

  /** Waits for the work under way, for a while and until `stop`. */
  async finish(stop: AbortSignal): Promise<void> {
    const running = this.#running;
    if (!running) return;
    const { log } = this.parts;
    if (!stop.aborted) log(`the evaluation of step ${running.step} goes on (Ctrl-C gives it up)`);
    const limit = AbortSignal.any([stop, awakeTimeout(LAST_LIMIT)]);
    const giveUp = (): void => {
      running.abort.abort(new Error('the run has ended'));
    };
    if (limit.aborted) giveUp();
    limit.addEventListener('abort', giveUp, { once: true });
    await running.done;
    limit.removeEventListener('abort', giveUp);
  }

  async close(): Promise<void> {
    await this.#giveUp();
  }

  #begin(step: number): void {
    const abort = new AbortController();
    const done = this.#evaluate(step, abort.signal).finally(() => {
      this.#running = undefined;
    });
    this.#running = { step, abort, done };
  }

  async #evaluate(step: number, abort: AbortSignal): Promise<void> {
    const { run, cache, reals, engine, log, onEvaluated, limit = LIMIT } = this.parts;
    const temporary = temporaryPackPath(cache);
    const timeout = awakeTimeout(limit);
    try {
      const evaluation = await runChild<EvaluationRequest, never, StepEvaluation>({
        name: 'that evaluates samples',
        entry: new URL('evaluation-process.js', import.meta.url),
        request: {
          ...{ run: run.path, checkpoint: run.checkpointFile(step), reals, engine, temporary },
          count: EVALUATED_SAMPLES,
        },
        // The GPUs are for training.
        environment: { CUDA_VISIBLE_DEVICES: '-1' },
        onEvent: () => undefined,
        signal: AbortSignal.any([abort, timeout]),
      });
      this.#finished = loggedPart(evaluation);
      onEvaluated(this.#finished);
      log(evaluationLine(evaluation), { event: 'evaluated' });
    } catch (error) {
      if (abort.aborted) return;
      const why = timeout.aborted ? `it took longer than ${limit / 1000} s` : messageOf(error);
      log(`step ${step} was not evaluated: ${why}`, { level: 'warn', event: 'fault' });
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async #giveUp(): Promise<void> {
    this.#expected = [];
    this.#finished = undefined;
    this.#running?.abort.abort(new Error('the evaluation was given up'));
    await this.#running?.done;
  }

  /** Partial files of killed processes. */
  async #removeHalves(): Promise<void> {
    const { evaluations } = this.parts.run;
    const names = await readdir(evaluations).catch(() => []);
    const halves = names.filter((name) => name.endsWith('.tmp'));
    await Promise.all(halves.map((name) => rm(join(evaluations, name), { force: true })));
  }
}
