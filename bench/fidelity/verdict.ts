import { bandOf, meanOf, spreadOf, type Band } from './curves.js';

export interface Judged {
  readonly what: string;
  /** How far this trainer is from PyTorch, or, where there is a better and a worse, how much worse; below 0: better. */
  readonly distance: number;
  /** How far PyTorch's own runs lie apart. */
  readonly spread: number;
  readonly passes: boolean;
}

export const RULE = [
  'a loss curve passes if the distance between the means of the two programs, averaged over the windows, is at most',
  "the distance between the highest and the lowest of PyTorch's own runs, averaged over the windows; a figure passes",
  "if this trainer's mean is worse than PyTorch's by at most the distance between PyTorch's best and worst run",
].join('\n');

/** Losses have no better and worse: the curves have to lie as near to PyTorch's as those to each other. */
export function judgeCurve(what: string, here: readonly Band[], pytorch: readonly Band[]): Judged {
  const distance = meanOf(here.map(({ mean }, window) => Math.abs(mean - pytorch[window].mean)));
  const spread = meanOf(pytorch.map(spreadOf));
  return { what, distance, spread, passes: distance <= spread };
}

export function judgeFigure(
  what: string,
  here: readonly number[],
  pytorch: readonly number[],
  better: 'higher' | 'lower',
): Judged {
  const [ours, theirs] = [bandOf(here), bandOf(pytorch)];
  const distance = better === 'lower' ? ours.mean - theirs.mean : theirs.mean - ours.mean;
  const spread = spreadOf(theirs);
  return { what, distance, spread, passes: distance <= spread };
}

/** "PASS: no worse than PyTorch within its spread" */
export function verdictLine(judged: readonly Judged[]): string {
  const failed = judged.filter(({ passes }) => !passes);
  return failed.length === 0
    ? `PASS: no worse than PyTorch within its spread (${judged.map(({ what }) => what).join(', ')})`
    : `FAIL: outside PyTorch's spread: ${failed.map(({ what }) => what).join(', ')}`;
}
