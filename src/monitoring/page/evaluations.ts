import type { EvaluationView } from './api.js';
import { element, made, setText } from './dom.js';

/** Table of evaluations, newest first, with the values of real faces. Empty if there are none. */
export function showEvaluations(evaluations: readonly EvaluationView[]): void {
  element('evaluation').hidden = evaluations.length === 0;
  const last = evaluations.at(-1);
  if (!last) return;
  setText(
    element('evaluation-real'),
    `Of real faces: ${percent(last.realFaceShare)} %, ${distance(last.realFrechetDistance)}. ` +
      `In brackets: intervals of 95 %, from ${last.count} samples.`,
  );
  element<HTMLTableElement>('evaluations').tBodies[0].replaceChildren(
    ...[...evaluations].reverse().map(rowOf),
  );
}

function rowOf(evaluation: EvaluationView): HTMLElement {
  const { step, faceShare, faceShareInterval, frechetDistance, frechetDistanceInterval } = evaluation;
  const row = made('tr');
  row.append(made('th', step.toLocaleString('en'), { scope: 'row', class: 'number' }));
  const cells = [
    `${percent(faceShare)} % (${faceShareInterval.map(percent).join(' to ')})`,
    `${distance(frechetDistance)} (${frechetDistanceInterval.map(distance).join(' to ')})`,
  ];
  row.append(...cells.map((cell) => made('td', cell, { class: 'number' })));
  return row;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function distance(value: number): string {
  return value.toFixed(4);
}
