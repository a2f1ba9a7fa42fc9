/** What the coordinator's HTTP API says, for both of its ends. Numbers that are not finite come as null. */

export const MEASURES = [
  'discriminatorLoss',
  'generatorLoss',
  'realScore',
  'fakeScoreBefore',
  'fakeScoreAfter',
  'imagesPerSecond',
] as const;
export type Measure = (typeof MEASURES)[number];

/** waiting: for workers. ended: its last step is not the last that was planned, and nobody trains. */
export type RunState = 'waiting' | 'training' | 'paused' | 'stopping' | 'done' | 'ended';

export interface WorkerView {
  readonly number: number;
  readonly state: 'joining' | 'ready' | 'lost';
  readonly host: string;
  readonly pid: number;
  /** "gpu 0", "cpu"; empty where it is not known. */
  readonly device: string;
  readonly shards: number;
  /** Of the last step that it took part in. */
  readonly imagesPerSecond: number;
  /** By phase, what its shards took last; of a round of local steps what it took by step. */
  readonly phaseSeconds: Readonly<Record<string, number>>;
}

/** How face-like the samples of a step were; shares and distances of real faces beside them. */
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
  /** Of a run that trains in this coordinator; nobody knows those of another. */
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
  /** The last step, of which the stream goes on. */
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
  /** As ISO 8601 has it. */
  readonly time: string;
  readonly kind: EventKind;
  readonly step: number;
  readonly message: string;
}

/** What the stream says, each with the number of the run that it is about. */
export interface StreamMessages {
  readonly run: { readonly run: number; readonly snapshot: RunSnapshot };
  readonly steps: {
    readonly run: number;
    readonly steps: readonly Readonly<Record<string, number | null>>[];
  };
  /** The curves have to be fetched anew: steps were taken back, or too many were missed. */
  readonly reset: { readonly run: number };
  readonly events: { readonly run: number; readonly events: readonly RunEvent[] };
  readonly samples: { readonly run: number; readonly steps: readonly number[] };
  /** The coordinator is about to end. */
  readonly end: Readonly<Record<string, never>>;
}
