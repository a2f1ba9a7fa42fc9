import { CHUNK_BYTES, LIMITS } from '../../../src/wire/limits.js';
import type { Message } from '../../../src/wire/message.js';
import type { Choice } from './choice.js';
import { MESSAGES } from './messages.js';

/** Around every limit that a number has, and around those of its encoding. */
const NUMBERS: readonly number[] = [
  ...[0, 1, 2, 3, 4, 5, 8, 127, 128, 255, 256, 65_535, 65_536, 86_400, 86_401, -1, 0.5, NaN, Infinity],
  ...[CHUNK_BYTES - 4, CHUNK_BYTES, CHUNK_BYTES + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 4, 2 ** 32 - 1],
];
const LENGTHS = [0, 1, 63, 64, 65, 200, 201, 255, 256, 1000, 1001];
const PIECES = 'a 0 f / é 日 🙂 {"a":1} \n \x1b[2J \0 \u202e \ud800'.split(' ');

/** Memory for payloads, so that a large one costs nothing. */
const PAYLOAD = new Uint8Array(CHUNK_BYTES + 4);

/** A message of any kind, some of whose fields have a value near a limit, within or beyond. */
export function anyMessage(choice: Choice): Message {
  const { kind, body, phase, ...header } = choice.of(MESSAGES);
  // How much is changed: nothing, so that a message is taken, or more than one of its checks finds.
  const probability = choice.of([0, 0.1, 0.5]);
  const otherFields = (fields: object): object =>
    Object.fromEntries(
      Object.entries<unknown>({ ...fields }).map(([name, value]) => [
        name,
        other(value, choice, probability),
      ]),
    );
  return {
    ...otherFields(header),
    phase: choice.of([phase, phase, undefined, 'generator']),
    kind,
    body: otherFields(body),
  } as Message;
}

/** Another value of the same type, sometimes: fields that are added to the protocol are covered as well. */
function other(value: unknown, choice: Choice, probability: number): unknown {
  if (!choice.chance(probability)) return value;
  if (typeof value === 'number') return choice.of(NUMBERS);
  if (typeof value === 'string') return anyText(choice);
  if (typeof value === 'boolean') return choice.chance(0.5);
  if (value instanceof Uint8Array) return anyPayload(choice);
  if (Array.isArray(value)) return anyNumbers(choice);
  return value;
}

function anyText(choice: Choice): string {
  if (choice.chance(0.001)) return 'x'.repeat(LIMITS.optionsCharacters + choice.number(0, 1));
  const length = choice.of(LENGTHS);
  if (choice.chance(0.5)) return choice.of(PIECES).repeat(length);
  return Array.from({ length: choice.number(0, 20) }, () => choice.of(PIECES)).join('');
}

function anyPayload(choice: Choice): Uint8Array {
  const length = choice.chance(0.02)
    ? choice.of([CHUNK_BYTES, CHUNK_BYTES + 1])
    : choice.of([0, 1, 3, 4, 8, 64]);
  return PAYLOAD.subarray(0, length);
}

function anyNumbers(choice: Choice): number[] {
  const length = choice.chance(0.001) ? LIMITS.shards + choice.number(0, 1) : choice.number(0, 12);
  if (choice.chance(0.5)) return Array.from({ length }, (_, index) => index);
  return Array.from({ length }, () => choice.of(NUMBERS));
}
