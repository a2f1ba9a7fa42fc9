import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../common/files/atomic-file.js';
import type { Evaluation } from './evaluation.js';
import type { RunFolder } from '../run/run-directory.js';
import type { LoggedEvaluation } from '../run/step-record.js';

/** Evaluation of the samples of a step. */
export interface StepEvaluation extends Evaluation {
  readonly step: number;
}

/** Stored evaluation, with the facts of its measurement. */
export interface SavedEvaluation extends StepEvaluation {
  readonly seed: number;
  readonly engine: string;
  readonly facePackage: string;
}

export async function writeEvaluation(run: RunFolder, evaluation: SavedEvaluation): Promise<void> {
  const text = `${JSON.stringify(evaluation, undefined, 2)}\n`;
  await writeFileAtomically(run.evaluationFile(evaluation.step), text);
}

/** Returns undefined if there is none, or if it is not valid. */
export async function readEvaluation(run: RunFolder, step: number): Promise<StepEvaluation | undefined> {
  try {
    const saved = JSON.parse(await readFile(run.evaluationFile(step), 'utf8')) as SavedEvaluation;
    const isOne = saved.step === step && Number.isFinite(saved.frechetDistance + saved.faceShare);
    return isOne ? saved : undefined;
  } catch {
    return undefined;
  }
}

/** Part of an evaluation for the step log. */
export function loggedPart(evaluation: StepEvaluation): LoggedEvaluation {
  const { step, faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval } = evaluation;
  return { step, faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval };
}
