import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../src/common/random.js';
import { withChecksum } from '../src/wire/checksum.js';
import { encode, type Frames } from '../src/wire/codec.js';
import { dcgan } from '../src/wire/generated/trainer.js';
import { receive } from '../src/wire/receive.js';
import { Sequence } from '../src/wire/sequence.js';
import { fate } from './support/wire/fate.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';

/** These fields in protobuf's own encoding, whatever they say. */
function raw(fields: Record<string, unknown>): Frames {
  return withChecksum([dcgan.Envelope.encode(dcgan.Envelope.fromObject(fields)).finish()]);
}

describe('rejected is', () => {
  it('a number that is no phase', () => {
    const fates = [-1, 0, 1, 2, 3].map((phase) => fate(raw({ phase, step: 1, compute: {} })));
    assert.deepEqual(fates, ['out_of_range', 'out_of_range', 'message', 'message', 'out_of_range']);
  });

  it('a message without a body, and nothing at all', () => {
    const bodiless = dcgan.Envelope.encode({ run: 'r', step: 1 }).finish();
    assert.equal(fate(withChecksum([bodiless])), 'undecodable');
    assert.equal(fate(withChecksum([new Uint8Array(0)])), 'undecodable');
    assert.equal(fate(withChecksum([])), 'undecodable');
    assert.equal(fate([]), 'undecodable');
  });

  it('a chunk without its payload, and any other message with one', () => {
    for (const message of MESSAGES) {
      const [envelope] = encode(message);
      const one = new Uint8Array(4);
      const fates = [[envelope], [envelope, one], [envelope, one, one]].map((frames) =>
        fate(withChecksum(frames)),
      );
      const right = message.kind === 'chunk' ? 1 : 0;
      const expected = fates.map((_, index) => (index === right ? 'message' : 'undecodable'));
      assert.deepEqual(fates, expected, message.kind);
    }
  });

  it('every message whose last field was cut short', () => {
    for (const message of MESSAGES) {
      const whole = encode(message);
      assert.equal(fate(whole), 'message');
      // The body comes last in the envelope: without its last byte it is shorter than it says, or missing where it was empty.
      const [envelope, ...rest] = whole.slice(0, -1);
      assert.equal(fate(withChecksum([envelope.subarray(0, -1), ...rest])), 'undecodable', message.kind);
    }
  });

  it('whatever random bytes are no message, and nothing else comes of them', () => {
    const stream = randomStream(1, 'random bytes');
    const fates = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const bytes = Uint8Array.from({ length: uniformInt(stream, 0, 64) }, () => uniformInt(stream, 0, 255));
      const outcome = fate(withChecksum([bytes]));
      fates.set(outcome, (fates.get(outcome) ?? 0) + 1);
    }
    assert.ok((fates.get('undecodable') ?? 0) > 19_000, JSON.stringify([...fates]));
  });

  it('whatever is no message after some of its bytes were changed', () => {
    const stream = randomStream(2, 'changed bytes');
    const fates = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      const [envelope, ...rest] = encode(MESSAGES[i % MESSAGES.length]).slice(0, -1);
      const bytes = envelope.slice();
      for (let changes = uniformInt(stream, 1, 3); changes > 0; changes--)
        bytes[uniformInt(stream, 0, bytes.length - 1)] = uniformInt(stream, 0, 255);
      fates.add(fate(withChecksum([bytes, ...rest])));
    }
    // All three come up: the changes are neither always fatal nor never.
    assert.deepEqual([...fates].sort(), ['message', 'out_of_range', 'undecodable']);
  });
});

describe('what a socket received', () => {
  it('is counted when it is no message, and has no effect', () => {
    const traffic = new TrafficLog();
    const whole = encode(MESSAGES[0]);
    const numbered = (frames: Frames): Frames => new Sequence().number(frames);
    const taken = receive(numbered(whole), traffic);
    assert.deepEqual([taken?.number, taken?.message.kind], [1, MESSAGES[0].kind]);
    assert.equal(receive(whole, traffic), undefined);
    assert.equal(receive(numbered([...whole, ...whole]), traffic), undefined);
    assert.equal(receive([], traffic), undefined);
    assert.equal(receive([Uint8Array.of(255)], traffic), undefined);
    assert.equal(receive(numbered(raw({ compute: {} })), traffic), undefined);
    assert.deepEqual(traffic.rejections, [
      'undecodable',
      'undecodable',
      'undecodable',
      'undecodable',
      'out_of_range',
    ]);
  });
});
