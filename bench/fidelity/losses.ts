import { readFileSync } from 'node:fs';

/** A line of stats.jsonl, as far as curves are drawn from it; the other program writes the same. */
export interface LossLine {
  readonly step: number;
  readonly discriminatorLoss: number;
  readonly generatorLoss: number;
}

export type Losses = readonly LossLine[];

export function readLosses(path: string): Losses {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as LossLine);
}
