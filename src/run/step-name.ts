/** "step-000500": sorts by name up to a million steps. */
export function stepName(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}

/**
 * Returns the step of a file that a run named by `stepName` and `ending`, undefined for every other name. A name must be
 * exactly what a run writes, so that no two files count as one step and no step is beyond what a number can hold.
 */
export function stepOfName(name: string, ending: string): number | undefined {
  if (!name.startsWith('step-') || !name.endsWith(ending)) return undefined;
  const step = Number(name.slice('step-'.length, name.length - ending.length));
  return Number.isSafeInteger(step) && `${stepName(step)}${ending}` === name ? step : undefined;
}
