import type { TFEOpAttr, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { shapeOf, type Attribute, type Attributes } from './graph.js';
import { RecordingError } from './recording-error.js';

/** The fields that AttrValue and its list have in common. */
type Kind = 's' | 'i' | 'f' | 'b' | 'type';

/** An eager call's attributes, as a graph's node has them. */
export function attributesOf(op: string, attributes: readonly TFEOpAttr[], binding: TFJSBinding): Attributes {
  const kinds = new Map<number, Kind>([
    [binding.TF_ATTR_STRING, 's'],
    [binding.TF_ATTR_INT, 'i'],
    [binding.TF_ATTR_FLOAT, 'f'],
    [binding.TF_ATTR_BOOL, 'b'],
    [binding.TF_ATTR_TYPE, 'type'],
  ]);
  const convert = ({ name, type, value }: TFEOpAttr): [string, Attribute] => {
    if (type === binding.TF_ATTR_SHAPE) return [name, { shape: shapeOf(value as number[]) }];
    const kind = kinds.get(type);
    if (!kind) throw new RecordingError(`${op} cannot be recorded: its attribute ${name} is of type ${type}`);
    const values = (Array.isArray(value) ? value : [value]).map((one: unknown) =>
      kind === 's' ? new TextEncoder().encode(String(one)) : one,
    );
    return [name, Array.isArray(value) ? { list: { [kind]: values } } : { [kind]: values[0] }];
  };
  return Object.fromEntries(attributes.map(convert));
}
