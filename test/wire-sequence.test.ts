import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode } from '../src/wire/codec.js';
import { receive } from '../src/wire/receive.js';
import { Rejection } from '../src/wire/rejection.js';
import { Sequence, withoutNumber } from '../src/wire/sequence.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';

const FRAMES = [Uint8Array.of(7)];

const rejectedAs =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof Rejection && error.reason === reason;

describe('the messages of a connection', () => {
  it('are numbered from 1 on, each way by itself, in a frame of 8 bytes before the others', () => {
    const [one, other] = [new Sequence(), new Sequence()];
    other.number(FRAMES);
    assert.deepEqual(
      [1, 2].map(() => one.number(FRAMES).map((frame) => Buffer.from(frame).toString('hex'))),
      [
        ['0100000000000000', '07'],
        ['0200000000000000', '07'],
      ],
    );
    one.require(1);
    assert.deepEqual(withoutNumber(other.number(FRAMES)), { number: 2, frames: FRAMES });
  });

  it('are taken in their order only', () => {
    const sequence = new Sequence();
    const refused = (number: number): void => {
      assert.throws(() => {
        sequence.require(number);
      }, rejectedAs('out_of_sequence'));
    };
    refused(0);
    refused(2);
    sequence.require(1);
    refused(1);
    refused(3);
    sequence.require(2);
    refused(2 ** 64);
  });

  it('have a number, or are none', () => {
    for (const frames of [[], [new Uint8Array(7)], [new Uint8Array(9), ...FRAMES]])
      assert.throws(() => withoutNumber(frames), rejectedAs('undecodable'));
  });

  it('are rejected by a socket that has one connection, where one is missing, twice or changed on its way', () => {
    const [sender, traffic, receiver] = [new Sequence(), new TrafficLog(), new Sequence()];
    const [first, , third] = MESSAGES.slice(0, 3).map((message) => sender.number(encode(message)));
    const changed = first.with(0, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 128));
    const kinds = [changed, third, first, first, third].map(
      (frames) => receive(frames, traffic, receiver)?.message.kind,
    );
    assert.deepEqual(kinds, [undefined, undefined, MESSAGES[0].kind, undefined, undefined]);
    assert.deepEqual(traffic.rejections, Array<string>(4).fill('out_of_sequence'));
  });
});
