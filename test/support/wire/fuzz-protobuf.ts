import { Writer } from 'protobufjs/minimal.js';
import type { Choice } from './choice.js';

/** Fields of an envelope and of its bodies, and numbers that protobuf does not allow or nobody uses. */
const FIELDS = [
  0,
  1,
  2,
  3,
  4,
  5,
  9,
  ...Array.from({ length: 17 }, (_, index) => 10 + index),
  99,
  2 ** 29 - 1,
];
const VARINTS = [
  ...[
    '00',
    '01',
    '02',
    '04',
    '7f',
    '8001',
    'ffff03',
    'ffffffff0f',
    '8000',
    '80808000',
    'ffffffffffffffffff01',
  ],
  ...['80808080808080808000', 'ffffffffffffffffffff01', 'ffffffff'],
].map((hex) => Buffer.from(hex, 'hex'));

/** Field after field as protobuf writes them, of any number and type, with lengths that are right or made up. */
export function anyProtobuf(choice: Choice, depth = 0): Uint8Array {
  const count = choice.number(0, 5);
  return Buffer.concat(Array.from({ length: count }, () => anyField(choice, depth)));
}

function anyField(choice: Choice, depth: number): Uint8Array {
  const type = choice.number(0, 7);
  const tag = new Writer().uint32(((choice.of(FIELDS) << 3) | type) >>> 0).finish();
  return Buffer.concat([tag, anyValue(choice, type, depth)]);
}

function anyValue(choice: Choice, type: number, depth: number): Uint8Array {
  switch (type) {
    case 0:
      return choice.of(VARINTS);
    case 1:
      return choice.bytes(8);
    case 2: {
      const content =
        depth < 4 && choice.chance(0.7) ? anyProtobuf(choice, depth + 1) : choice.bytes(choice.number(0, 8));
      const length = choice.chance(0.9) ? new Writer().uint32(content.length).finish() : choice.of(VARINTS);
      return Buffer.concat([length, content]);
    }
    case 3:
      // A group, with its end or without.
      return depth < 4 ? anyProtobuf(choice, depth + 1) : new Uint8Array(0);
    case 5:
      return choice.bytes(4);
    default:
      return new Uint8Array(0);
  }
}
