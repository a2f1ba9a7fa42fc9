import type { ModelLayout } from './layout.js';

/** The tensor of the state with which the generator draws: that of its moving average, in a run that has one. */
export function drawingSlot(layout: ModelLayout, slot: string): string {
  if (!layout.hasAverage) return slot;
  return slot.replace(/^generator\.(parameters|runningStatistics)\./, 'generator.average.');
}

/** The tensor of the state that this one is the average of; undefined for one that is no average. */
export function averagedSlot(slot: string): string | undefined {
  const [network, part, layer, tensor] = slot.split('.');
  if (part !== 'average') return undefined;
  const isStatistic = tensor === 'mean' || tensor === 'variance';
  return [network, isStatistic ? 'runningStatistics' : 'parameters', layer, tensor].join('.');
}
