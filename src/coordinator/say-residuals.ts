import type { Log } from '../common/log.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { StateSource } from '../model/state-source.js';

/** Says where a run that sends int8 goes on from a checkpoint that was written before they held what rounding left. */
export function sayResiduals(
  { wire }: Pick<TrainingOptions, 'wire'>,
  from: StateSource | undefined,
  firstStep: number,
  log: Log,
): void {
  if (wire !== 'int8' || firstStep === 1 || from?.residuals) return;
  const what = 'what rounding left of the gradients is not in the checkpoint, and begins at zero again';
  log(`${what} (--wire int8)`, { level: 'warn', event: 'residuals' });
}
