import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { printable } from '#printable';
import type { RunInfo, RunSnapshot, RunState, WorkerView } from '../page/api.js';
import type { RunFolder } from '../../run/run-directory.js';
import { RunFiles } from './run-files.js';

/** A lock that was touched so lately is held; in milliseconds. */
const LOCK_BELIEVED = 60_000;

/** Steps that the time left is reckoned from. */
const RATE_STEPS = 50;

/** Facts that only the coordinator of a run knows. */
export interface LiveFacts {
  state(): RunState;
  step(): number;
  totalSteps(): number;
  workers(): readonly WorkerView[];
  /** Until the run has a directory with its own. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A run on the page: its directory, and what its coordinator knows where that is this process. */
export class ShownRun {
  files: RunFiles | undefined;
  #saved: Readonly<Record<string, unknown>> | undefined;
  #isLocked = false;

  constructor(
    private readonly facts?: LiveFacts,
    private readonly name?: string,
  ) {}

  static of(folder: RunFolder, name = basename(folder.path)): ShownRun {
    const run = new ShownRun(undefined, name);
    run.open(folder);
    return run;
  }

  /** From now on the run has this directory. */
  open(folder: RunFolder): void {
    this.files = new RunFiles(folder);
    this.#saved = undefined;
  }

  async refresh(): Promise<void> {
    if (!this.files) return;
    await this.files.refresh();
    const { folder } = this.files;
    if (!this.facts || !this.#saved) this.#saved = await folder.readOptions().catch(() => undefined);
    if (this.facts) return;
    const touched = await stat(folder.lockFile).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    this.#isLocked = Date.now() - touched < LOCK_BELIEVED;
  }

  snapshot(): RunSnapshot {
    const last = this.files?.last;
    const step = this.facts?.step() ?? last?.step ?? 0;
    const totalSteps = this.facts?.totalSteps() ?? numberIn(this.#saved, 'plannedSteps');
    const secondsPerStep = this.#secondsPerStep();
    const state = this.facts?.state() ?? this.#stateOf(step, totalSteps);
    const isOver = state === 'done' || state === 'ended';
    return {
      name: printable(this.name ?? (this.files ? basename(this.files.folder.path) : 'a run that begins')),
      ...{ state, step, totalSteps, epoch: last?.epoch ?? 0 },
      imagesPerSecond: last && Number.isFinite(last.imagesPerSecond) ? last.imagesPerSecond : null,
      secondsLeft:
        secondsPerStep === undefined || totalSteps === 0 || isOver
          ? null
          : Math.round(Math.max(0, totalSteps - step) * secondsPerStep),
      evaluations: this.files?.evaluationsRead ?? 0,
      fault: this.files?.fault == null ? null : printable(this.files.fault),
      workers: this.facts?.workers() ?? [],
    };
  }

  info(): RunInfo {
    const saved = this.#saved ?? {};
    const typed = saved['arguments'] as object | undefined;
    const training = saved['training'] as object | undefined;
    const dataset = (saved['dataset'] ?? {}) as Readonly<Record<string, unknown>>;
    const options = { ...(this.facts?.options ?? typed), ...training };
    return {
      ...this.snapshot(),
      engine: text(saved['engine']),
      version: text(saved['version']),
      options: Object.fromEntries(
        Object.entries<unknown>({
          ...flattened(options),
          images: dataset['images'],
          dataset: dataset['folder'],
        })
          .map(([name, value]) => [name, text(value)] as const)
          .filter(([, value]) => value !== ''),
      ),
    };
  }

  #stateOf(step: number, totalSteps: number): RunState {
    if (totalSteps > 0 && step >= totalSteps) return 'done';
    return this.#isLocked ? 'training' : 'ended';
  }

  /** Computing and what comes with it; not the time between steps, which samples take. */
  #secondsPerStep(): number | undefined {
    const steps = this.files?.recent.slice(-RATE_STEPS) ?? [];
    if (steps.length === 0) return undefined;
    const seconds = steps.map(({ computeSeconds, averagingSeconds }) => computeSeconds + averagingSeconds);
    const mean = seconds.reduce((sum, each) => sum + each, 0) / steps.length;
    return Number.isFinite(mean) ? mean : undefined;
  }
}

function numberIn(saved: Readonly<Record<string, unknown>> | undefined, name: string): number {
  const value = saved?.[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
}

/** Groups of options without their group's name. */
function flattened(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) =>
      name === 'training' && typeof value === 'object' && value !== null
        ? Object.entries(value)
        : [[name, value]],
    ),
  );
}

/** Empty if it has none, such as a secret. */
function text(value: unknown): string {
  if (typeof value === 'string') return printable(value);
  const json: string | undefined = value === null ? undefined : JSON.stringify(value);
  return printable(json ?? '');
}
