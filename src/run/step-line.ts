import type { LoggedEvaluation, StepRecord } from './step-record.js';

type NumberField = Exclude<keyof StepRecord, 'evaluation'>;

/** A count is a whole number from 0; a measure is any number, written as null if it is not finite. */
const KINDS: Readonly<Record<NumberField, 'count' | 'measure'>> = {
  step: 'count',
  epoch: 'count',
  discriminatorLoss: 'measure',
  generatorLoss: 'measure',
  realScore: 'measure',
  fakeScoreBefore: 'measure',
  fakeScoreAfter: 'measure',
  imagesPerSecond: 'measure',
  computeSeconds: 'measure',
  averagingSeconds: 'measure',
  sentBytes: 'count',
  receivedBytes: 'count',
  amongWorkersBytes: 'count',
  workers: 'count',
};
const FIELDS = Object.keys(KINDS) as NumberField[];

/** One line of stats.jsonl, newline included. JSON has no NaN: it becomes null, which pandas reads as NaN too. */
export function formatStepLine(record: StepRecord): string {
  const { evaluation } = record;
  const fields = Object.fromEntries(FIELDS.map((field) => [field, record[field]]));
  return `${JSON.stringify({ ...fields, ...(evaluation && { evaluation }) })}\n`;
}

/** Throws with what is wrong. Fields that are not known are left out: a later version may add some. */
export function parseStepLine(line: string): StepRecord {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is not a JSON object');
  const fields = parsed as Readonly<Record<string, unknown>>;
  const entries = FIELDS.map((field) => [field, readNumber(field, fields[field])] as const);
  const evaluation = readEvaluation(fields['evaluation']);
  return { ...Object.fromEntries(entries), ...(evaluation && { evaluation }) } as unknown as StepRecord;
}

/** Undefined where the line has none. */
function readEvaluation(value: unknown): LoggedEvaluation | undefined {
  if (value === undefined) return undefined;
  const { step, faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval } = (value ??
    {}) as Readonly<Record<string, unknown>>;
  const numbers = [step, faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval].flat();
  if (numbers.length !== 7 || !numbers.every((each) => Number.isFinite(each)))
    throw new TypeError(`evaluation is ${JSON.stringify(value)}, not one`);
  return { step, faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval } as LoggedEvaluation;
}

function readNumber(field: NumberField, value: unknown): number {
  // Before there were ways among workers, nothing was said of them.
  if (value === undefined && field === 'amongWorkersBytes') return 0;
  if (value === undefined) throw new TypeError(`${field} is missing`);
  if (KINDS[field] === 'measure') {
    if (value === null) return Number.NaN;
    if (typeof value === 'number') return value;
  } else if (Number.isSafeInteger(value) && (value as number) >= 0) {
    return value as number;
  }
  throw new TypeError(`${field} is ${JSON.stringify(value)}, not a ${KINDS[field]}`);
}
