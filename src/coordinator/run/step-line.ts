import type { StepRecord } from '../step-record.js';

/** A count is a whole number from 0; a measure is any number, written as null where it is not finite. */
const KINDS: Readonly<Record<keyof StepRecord, 'count' | 'measure'>> = {
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
  workers: 'count',
};
const FIELDS = Object.keys(KINDS) as (keyof StepRecord)[];

/** One line of stats.jsonl, newline included. JSON has no NaN: it becomes null, which pandas reads as NaN too. */
export function formatStepLine(record: StepRecord): string {
  return `${JSON.stringify(record, FIELDS)}\n`;
}

/** Throws with what is wrong. Fields that are not known are left out: a later version may add some. */
export function parseStepLine(line: string): StepRecord {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is not a JSON object');
  const fields = parsed as Readonly<Record<string, unknown>>;
  const entries = FIELDS.map((field) => [field, readNumber(field, fields[field])] as const);
  return Object.fromEntries(entries) as unknown as StepRecord;
}

function readNumber(field: keyof StepRecord, value: unknown): number {
  if (value === undefined) throw new TypeError(`${field} is missing`);
  if (KINDS[field] === 'measure') {
    if (value === null) return Number.NaN;
    if (typeof value === 'number') return value;
  } else if (Number.isSafeInteger(value) && (value as number) >= 0) {
    return value as number;
  }
  throw new TypeError(`${field} is ${JSON.stringify(value)}, not a ${KINDS[field]}`);
}
