import type { ModelLayout, Slot } from '../model/layout.js';
import type { ForeignTensor } from './foreign-tensor.js';

/** Layers of the LayersModel that have weights. */
export function convolutionName(index: number): string {
  return `layer${index}`;
}
export function normName(index: number): string {
  return `layer${index}_norm`;
}

/** The generator's tensors as TensorFlow.js names them: all lie there as they lie here. */
export function tfjsTensors({ generator }: ModelLayout): ForeignTensor[] {
  const named =
    (part: 'parameters' | 'runningStatistics') =>
    ({ name, shape }: Slot): ForeignTensor => ({
      name: theirName(name),
      shape,
      slot: `generator.${part}.${name}`,
    });
  return [
    ...generator.parameters.map(named('parameters')),
    ...generator.statistics.map(named('runningStatistics')),
  ];
}

/** layer1.kernel -> layer1/kernel, layer1.mean -> layer1_norm/moving_mean */
function theirName(ours: string): string {
  const [layer, tensor] = ours.split('.');
  const index = Number(layer.replace('layer', ''));
  if (tensor === 'kernel') return `${convolutionName(index)}/kernel`;
  const moving = tensor === 'mean' || tensor === 'variance';
  return `${normName(index)}/${moving ? 'moving_' : ''}${tensor}`;
}
