import { print } from '../common/console.js';
import type { Evaluation } from './evaluation.js';
import type { Interval } from './interval.js';
import type { StepEvaluation } from './evaluation-file.js';

/** Prints an evaluation to stdout, as text or JSON. */
export async function printEvaluation(
  of: string,
  evaluation: Evaluation,
  { json }: { readonly json?: true },
): Promise<void> {
  const text = json ? JSON.stringify(evaluation, undefined, 2) : evaluationText(of, evaluation);
  await print(`${text}\n`);
}

export function evaluationText(of: string, evaluation: Evaluation): string {
  const {
    count,
    frechetDistanceInterval: [low, high],
  } = evaluation;
  const shares = (share: number, interval: Interval): string =>
    `${percent(share)} % (${interval.map(percent).join(' to ')})`;
  return [
    `${of}: ${count.toLocaleString('en')} samples; intervals are of 95 %`,
    `a face is found in    ${shares(evaluation.faceShare, evaluation.faceShareInterval)}; ` +
      `of the real faces in ${shares(evaluation.realFaceShare, evaluation.realFaceShareInterval)}`,
    `Fréchet distance      ${digits(evaluation.frechetDistance)} (${digits(low)} to ${digits(high)}); ` +
      `of two halves of the real faces ${digits(evaluation.realFrechetDistance)}`,
    `nearest real face at  ${digits(evaluation.nearestDistance)} (median); ` +
      `of the real faces at ${digits(evaluation.realNearestDistance)}`,
  ].join('\n');
}

/** In one line, for the log of a run. */
export function evaluationLine(evaluation: StepEvaluation): string {
  const { step, count, faceShare, realFaceShare, frechetDistance, realFrechetDistance } = evaluation;
  return (
    `step ${step}: a face in ${percent(faceShare)} % of ${count} samples (real ${percent(realFaceShare)} %), ` +
    `Fréchet distance ${digits(frechetDistance)} (real ${digits(realFrechetDistance)})`
  );
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function digits(value: number): string {
  return value.toFixed(4);
}
