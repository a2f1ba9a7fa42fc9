/** Types of the coordinator's HTTP API, for server and page. Non-finite numbers are null. */

export const MEASURES = [
  'discriminatorLoss',
  'generatorLoss',
  'realScore',
  'fakeScoreBefore',
  'fakeScoreAfter',
  'imagesPerSecond',
] as const;
export type Measure = (typeof MEASURES)[number];

/** waiting: for workers. ended: no process trains, and steps are missing. */
export type RunState = 'waiting' | 'training' | 'paused' | 'stopping' | 'done' | 'ended';

export interface WorkerView {
  readonly number: number;
  readonly state: 'joining' | 'ready' | 'lost';
  readonly host: string;
  readonly pid: number;
  /** "gpu 0", "cpu"; empty if it is unknown. */
  readonly device: string;
  readonly shards: number;
  /** Facts of the last step in which it took part. */
  readonly imagesPerSecond: number;
  /** Last seconds of its shards by phase; for local steps, by step. */
  readonly phaseSeconds: Readonly<Record<string, number>>;
}

/** Evaluation of a step's samples, with the values of real faces for reference. */
export interface EvaluationView {
  readonly step: number;
  readonly count: number;
  readonly faceShare: number;
  readonly faceShareInterval: readonly [number, number];
  readonly realFaceShare: number;
  readonly frechetDistance: number;
  readonly frechetDistanceInterval: readonly [number, number];
  readonly realFrechetDistance: number;
}

/** In the order of their steps. */
export interface EvaluationList {
  readonly evaluations: readonly EvaluationView[];
}

/** A run as it is now. */
export interface RunSnapshot {
  readonly name: string;
  readonly state: RunState;
  readonly step: number;
  /** 0: not known yet. */
  readonly totalSteps: number;
  readonly epoch: number;
  readonly imagesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Which evaluations there are, by /api/evaluations; another one where that has changed. 0: none. */
  readonly evaluations: number;
  /** Why a file of the run cannot be read. */
  readonly fault: string | null;
  /** Known only for a run that trains in this coordinator. */
  readonly workers: readonly WorkerView[];
}

export interface RunInfo extends RunSnapshot {
  readonly engine: string;
  readonly version: string;
  /** Options by name, settled. */
  readonly options: Readonly<Record<string, string>>;
}

export interface RunList {
  readonly runs: readonly RunInfo[];
  /** True if runs can be paused, resumed and stopped here, with the token. */
  readonly control: boolean;
}

/** Rows of the curves: at most as many as were asked for, with no spike left out. */
export interface StepColumns {
  readonly steps: readonly number[];
  readonly measures: Readonly<Record<Measure, readonly (number | null)[]>>;
  /** Last step; the stream continues after it. */
  readonly last: number;
}

export const EVENT_KINDS = [
  'begun',
  'joined',
  'lost',
  'slow',
  'refused',
  'rejected',
  'checkpoint',
  'evaluated',
  'rewound',
  'paused',
  'resumed',
  'stopped',
  'fault',
  'done',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Something that happened to a run: a line of events.jsonl, and its number there. */
export interface RunEvent {
  readonly id: number;
  /** Time in ISO 8601. */
  readonly time: string;
  readonly kind: EventKind;
  readonly step: number;
  readonly message: string;
}

/** Messages of the stream, each with the number of its run. */
export interface StreamMessages {
  readonly run: { readonly run: number; readonly snapshot: RunSnapshot };
  readonly steps: {
    readonly run: number;
    readonly steps: readonly Readonly<Record<string, number | null>>[];
  };
  /** The client must fetch the curves again: steps were removed, or too many were missed. */
  readonly reset: { readonly run: number };
  readonly events: { readonly run: number; readonly events: readonly RunEvent[] };
  readonly samples: { readonly run: number; readonly steps: readonly number[] };
  /** The coordinator is about to end. */
  readonly end: Readonly<Record<string, never>>;
}
