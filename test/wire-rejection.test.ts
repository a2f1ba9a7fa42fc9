import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../src/common/random.js';
import { withChecksum } from '../src/wire/checksum.js';
import { CHUNK_BYTES, decode, encode, type Frames } from '../src/wire/codec.js';
import { dcgan } from '../src/wire/generated/trainer.js';
import { Content, type Message } from '../src/wire/message.js';
import { receive } from '../src/wire/receive.js';
import { Rejection, type RejectionReason } from '../src/wire/rejection.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';

const header = { run: 'r', generation: 1, step: 1, phase: 'discriminator' } as const;

function chunk(fields: Partial<Extract<Message, { kind: 'chunk' }>['body']>): Message {
  const body = {
    content: Content.GRADIENT,
    shard: 0,
    offset: 0,
    request: 0,
    total: 4,
    payload: new Uint8Array(4),
    ...fields,
  };
  return { ...header, kind: 'chunk', body };
}

/** What decode() does with these frames; anything but a message or a Rejection fails the test. */
function fate(frames: Frames): 'message' | RejectionReason {
  try {
    const message = decode(frames);
    assert.ok(MESSAGES.some(({ kind }) => kind === message.kind));
    return 'message';
  } catch (error) {
    if (error instanceof Rejection) return error.reason;
    throw error;
  }
}

describe('rejected is', () => {
  const outOfRange: Readonly<Record<string, Message>> = {
    'a chunk of no bytes': chunk({ payload: new Uint8Array(0) }),
    'a chunk larger than any may be': chunk({
      total: 2 * CHUNK_BYTES,
      payload: new Uint8Array(CHUNK_BYTES + 1),
    }),
    'a chunk that ends beyond its total': chunk({ offset: 1 }),
    'a chunk at the highest offset there is': chunk({ offset: 0xffff_ffff }),
    'a chunk of unknown content': chunk({ content: Content.UNKNOWN }),
    'a snapshot of unknown content': {
      ...header,
      kind: 'snapshotTaken',
      body: { content: Content.UNKNOWN, total: 1, digest: '' },
    },
    'a request for unknown content': {
      ...header,
      kind: 'fetch',
      body: { content: Content.UNKNOWN, shard: 0, offset: 0, request: 0 },
    },
    'a shard that took no number of seconds': {
      ...header,
      kind: 'shardDone',
      body: { shard: 0, computeSeconds: NaN },
    },
    'a shard that took for ever': {
      ...header,
      kind: 'shardDone',
      body: { shard: 0, computeSeconds: Infinity },
    },
    'a shard that took less than nothing': {
      ...header,
      kind: 'shardDone',
      body: { shard: 0, computeSeconds: -1e-9 },
    },
  };
  for (const [name, message] of Object.entries(outOfRange)) {
    it(name, () => {
      assert.equal(fate(encode(message)), 'out_of_range');
    });
  }

  it('a number that is no phase and no content, while the largest chunk is taken', () => {
    const raw = (fields: Record<string, unknown>): Frames =>
      withChecksum([dcgan.Envelope.encode(dcgan.Envelope.fromObject(fields)).finish()]);
    const fates = (numbers: number[], fields: (number: number) => Record<string, unknown>): string[] =>
      numbers.map((number) => fate(raw(fields(number))));
    assert.deepEqual(
      fates([-1, 0, 1, 2, 3], (phase) => ({ phase, ping: {} })),
      ['out_of_range', 'message', 'message', 'message', 'out_of_range'],
    );
    assert.deepEqual(
      fates([-1, 0, 1, 5, 6], (content) => ({ snapshot: { content } })),
      ['out_of_range', 'out_of_range', 'message', 'message', 'out_of_range'],
    );
    assert.equal(
      fate(encode(chunk({ total: CHUNK_BYTES, payload: new Uint8Array(CHUNK_BYTES) }))),
      'message',
    );
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
      const fates = [[envelope], [envelope, one], [envelope, one, one]].map(withChecksum).map(fate);
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
    assert.equal(receive(whole, traffic)?.kind, MESSAGES[0].kind);
    assert.equal(receive([...whole, ...whole], traffic), undefined);
    assert.equal(receive([], traffic), undefined);
    assert.equal(receive([Uint8Array.of(255)], traffic), undefined);
    assert.equal(receive(encode(chunk({ offset: 1 })), traffic), undefined);
    assert.deepEqual(traffic.rejections, ['undecodable', 'undecodable', 'undecodable', 'out_of_range']);
  });
});
