import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, encode } from '../src/wire/codec.js';
import {
  Content,
  Encoding,
  type Bodies,
  type BodyKind,
  type Header,
  type Message,
} from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { tellable } from '../src/wire/text.js';
import { fate } from './support/wire/fate.js';
import { MESSAGES } from './support/wire/messages.js';

const MIB = 1024 * 1024;
const HASH = '0123456789abcdef'.repeat(4);
const bytes = (length: number): Uint8Array => new Uint8Array(length);

/** The sample of a kind with other fields in its body, and in its header. */
function sample<Kind extends BodyKind>(
  kind: Kind,
  body: Partial<Bodies[Kind]>,
  header: Partial<Header> = {},
): Message {
  const found = MESSAGES.find((message) => message.kind === kind);
  return { ...found, ...header, body: { ...found?.body, ...body } } as Message;
}

function zeros(like: readonly number[]): number[] {
  return like.map(() => 0);
}

function numbers(length: number, from = 0): number[] {
  return Array.from({ length }, (_, index) => from + index);
}

/** Messages that are just within a limit, and those just beyond. */
interface Limit {
  readonly taken: readonly Message[];
  readonly refused: readonly Message[];
}

function ofText(limit: number, message: (text: string) => Message): Limit {
  const taken = ['', 'a', 'gpu-0.example (é, 日本, 🙂)', 'x'.repeat(limit)];
  const refused = [
    'x'.repeat(limit + 1),
    'a\nb',
    '\r',
    '\t',
    '\0',
    '\x7f',
    '\x9b31m',
    '\x1b[2J',
    '\u202e',
    '\u2028',
  ];
  return { taken: taken.map(message), refused: refused.map(message) };
}

function ofHash(message: (text: string) => Message): Limit {
  const refused = [
    HASH.slice(1),
    `${HASH}0`,
    HASH.toUpperCase(),
    HASH.replace('0', 'g'),
    `${HASH}\n`,
    '../x',
  ];
  return { taken: [message(HASH)], refused: refused.map(message) };
}

function ofNumber(first: number, last: number, message: (number: number) => Message): Limit {
  const beyond = last < 0xffff_ffff ? [last + 1, 0xffff_ffff] : [];
  const refused = first > 0 ? [first - 1, ...beyond] : beyond;
  return { taken: [first, last].map(message), refused: refused.map(message) };
}

function ofContent(allowed: readonly Content[], message: (content: Content) => Message): Limit {
  const onTheWire: unknown = [-1, 0, 1, 2, 3, 4, 5, 6, 2 ** 31 - 1];
  const refused = (onTheWire as Content[]).filter((each) => !allowed.includes(each));
  return { taken: allowed.map(message), refused: refused.map(message) };
}

/** A chunk of an average, which needs whole floats; one of images does not. */
function floats(body: Partial<Bodies['chunk']>): Message {
  const common = { content: Content.AVERAGE, offset: 0, total: 8, encoding: Encoding.PLAIN };
  return sample('chunk', { ...common, payload: bytes(8), ...body });
}

function images(body: Partial<Bodies['chunk']>): Message {
  const common = {
    content: Content.IMAGES,
    offset: 0,
    total: 3,
    encoding: Encoding.PLAIN,
    payload: bytes(3),
  };
  return sample('chunk', { ...common, ...body }, { phase: undefined });
}

function placed(body: Partial<Bodies['sharedChunk']>): Message {
  return sample('sharedChunk', { offset: 0, total: 8, encoding: Encoding.PLAIN, ...body });
}

function ofSegment(message: (segment: string) => Message): Limit {
  const token = 'a5'.repeat(16);
  const refused = [`1:2:3:${token}0`, `1:2:${token}`, `1:2:3:${token.toUpperCase()}`, `-1:2:3:${token}`, 'x'];
  return { taken: ['', `4194304:1048576:4294967295:${token}`].map(message), refused: refused.map(message) };
}

const LIMITS: Readonly<Record<string, Limit>> = {
  'the run': ofText(64, (run) => sample('ping', {}, { run })),
  "the hello's host": ofText(255, (host) => sample('hello', { host })),
  "the hello's process": ofText(64, (process) => sample('hello', { process })),
  'the worker': ofNumber(0, 65_535, (worker) => sample('welcome', { worker })),
  'the options': {
    taken: [sample('welcome', { options: '\n'.repeat(65_536) })],
    refused: [sample('welcome', { options: 'x'.repeat(65_537) })],
  },
  "the welcome's options hash": ofHash((optionsHash) => sample('welcome', { optionsHash })),
  "the ready's options hash": ofHash((optionsHash) => sample('ready', { optionsHash })),
  "the dataset's fingerprint": ofHash((fingerprint) =>
    sample('welcome', { datasetFingerprint: fingerprint }),
  ),
  "the ready's fingerprint": ofHash((fingerprint) => sample('ready', { datasetFingerprint: fingerprint })),
  'a fingerprint that is not there': {
    taken: [sample('ready', { datasetFingerprint: '' })],
    refused: [sample('welcome', { datasetFingerprint: '' })],
  },
  "the dataset's count": ofNumber(1, 0xffff_ffff, (datasetCount) => sample('welcome', { datasetCount })),
  "the refusal's reason": ofText(1000, (reason) => sample('refusal', { reason })),
  "the stop's reason": ofText(1000, (reason) => sample('stop', { reason })),
  "the failure's reason": ofText(1000, (reason) => sample('failure', { reason })),
  'the engine': ofText(200, (engine) => sample('ready', { engine })),
  'the assigned shards': {
    taken: [[], [65_535], numbers(65_536)].map((shards) => sample('assignment', { shards })),
    refused: [[65_536], [1, 2, 1], numbers(65_537, -1).with(0, 0)].map((shards) =>
      sample('assignment', { shards }),
    ),
  },
  'the first step': ofNumber(1, 0xffff_ffff, (step) => sample('assignment', {}, { step })),
  "the chunk's shard": ofNumber(0, 65_535, (shard) => sample('chunk', { shard })),
  'the operand of a sum': ofNumber(0, 131_071, (shard) =>
    sample('chunk', { shard, content: Content.OPERAND }),
  ),
  'who hosts the shards': {
    taken: [[], [65_535], numbers(65_536)].map((workerOfShard) => sample('assignment', { workerOfShard })),
    refused: [[65_536], numbers(65_537).with(65_536, 0)].map((workerOfShard) =>
      sample('assignment', { workerOfShard }),
    ),
  },
  "a worker's addresses": {
    taken: [[], ['ipc://@a'], new Array<string>(4).fill('tcp://10.0.0.1:5556')].map((peerAddresses) =>
      sample('ready', { peerAddresses }),
    ),
    refused: [
      [''],
      ['pgm://a'],
      ['tcp://a\n'],
      [`tcp://${'a'.repeat(255)}`],
      new Array<string>(5).fill('ipc://@a'),
    ].map((peerAddresses) => sample('ready', { peerAddresses })),
  },
  "a worker's key": ofText(40, (peerKey) => sample('ready', { peerKey })),
  "a worker's token": ofText(64, (peerToken) => sample('ready', { peerToken })),
  'the token of a greeting': ofText(64, (token) => sample('greeting', { token })),
  "a neighbour's addresses": {
    taken: [
      sample('assignment', {
        neighbours: [{ worker: 65_535, host: 'h', addresses: ['ipc://@a'], key: 'k' }],
      }),
    ],
    refused: [
      { worker: 65_536, host: 'h', addresses: [], key: '' },
      { worker: 1, host: 'a\nb', addresses: [], key: '' },
      { worker: 1, host: 'h', addresses: ['a'], key: '' },
      { worker: 1, host: 'h', addresses: [], key: 'k'.repeat(41) },
    ].map((neighbour) => sample('assignment', { neighbours: [neighbour] })),
  },
  "a worker's segment": ofSegment((segment) => sample('ready', { segment })),
  "the coordinator's segment": ofSegment((segment) => sample('welcome', { segment })),
  "a neighbour's segment": ofSegment((segment) =>
    sample('assignment', { neighbours: [{ worker: 1, host: 'h', addresses: [], key: '', segment }] }),
  ),
  'the shard of what is placed': ofNumber(0, 65_535, (shard) =>
    sample('sharedChunk', { shard, content: Content.GRADIENT }),
  ),
  'the operand that is placed': ofNumber(0, 131_071, (shard) => sample('sharedChunk', { shard })),
  'the content of what is placed': ofContent(
    [Content.GRADIENT, Content.AVERAGE, Content.OPERAND],
    (content) => sample('sharedChunk', { content }),
  ),
  'the size of what is placed': {
    taken: [placed({ bytes: 8 }), placed({ bytes: MIB, total: MIB })],
    refused: [
      placed({ bytes: 0 }),
      placed({ bytes: 7 }),
      placed({ bytes: 12 }),
      placed({ bytes: MIB + 4, total: 2 * MIB }),
      placed({ bytes: 8, encoding: Encoding.BFLOAT16 }),
    ],
  },
  'the parts of a mean': {
    taken: [[], [0, 16_383], numbers(16_384)].map((parts) =>
      sample('averaged', { parts, squares: zeros(parts) }),
    ),
    refused: [
      sample('averaged', { parts: [16_384], squares: [0] }),
      sample('averaged', { parts: [0, 1], squares: [0] }),
      sample('averaged', { parts: [], squares: [0] }),
      sample('averaged', { parts: numbers(16_385).with(16_384, 0), squares: zeros(numbers(16_385)) }),
    ],
  },
  'the measures of a mean': {
    taken: [0, 4, 28_000].map((length) => sample('averaged', { measures: bytes(length) })),
    refused: [1, 3, 28_004].map((length) => sample('averaged', { measures: bytes(length) })),
  },
  'the worker that cannot be reached': ofNumber(0, 65_535, (worker) => sample('unreachable', { worker })),
  'the worker that greets': ofNumber(0, 65_535, (worker) => sample('greeting', { worker })),
  'the shard that is done': ofNumber(0, 65_535, (shard) => sample('shardDone', { shard })),
  'the shard that is fetched': ofNumber(0, 65_535, (shard) => sample('fetch', { shard })),
  'the number of local steps, up to one': {
    taken: [1, 2, 7].map((steps) => sample('compute', { steps }, { step: 7 })),
    refused: [0, 8, 0xffff_ffff].map((steps) => sample('compute', { steps }, { step: 7 })),
  },
  'the step of a phase': ofNumber(1, 0xffff_ffff, (step) => sample('compute', {}, { step })),
  'the time of a shard': {
    taken: [0, 0.1, 86_400].map((computeSeconds) => sample('shardDone', { computeSeconds })),
    refused: [-1e-9, 86_400.1, Infinity, -Infinity, NaN].map((computeSeconds) =>
      sample('shardDone', { computeSeconds }),
    ),
  },
  'the content of a pushed chunk': ofContent(
    [Content.GRADIENT, Content.AVERAGE, Content.OPERAND],
    (content) => floats({ content }),
  ),
  'the content of a pulled chunk': ofContent([Content.STATE, Content.SAMPLES, Content.IMAGES], (content) =>
    images({ content, total: 4, payload: bytes(4) }),
  ),
  'the content of a snapshot': ofContent([Content.STATE, Content.SAMPLES], (content) =>
    sample('snapshot', { content }),
  ),
  'the content of a snapshot taken': ofContent([Content.STATE, Content.SAMPLES], (content) =>
    sample('snapshotTaken', { content }),
  ),
  'the content of what is fetched': ofContent([Content.STATE, Content.SAMPLES, Content.IMAGES], (content) =>
    sample('fetch', { content }),
  ),
  'the bytes of a snapshot': {
    taken: [4, 0xffff_fffc].map((total) => sample('snapshotTaken', { total })),
    refused: [0, 3, 0xffff_ffff].map((total) => sample('snapshotTaken', { total })),
  },
  'the place that is fetched from': {
    taken: [
      sample('fetch', { content: Content.STATE, offset: 0xffff_fffc }),
      sample('fetch', { content: Content.IMAGES, offset: 0xffff_ffff }),
    ],
    refused: [sample('fetch', { content: Content.STATE, offset: 2 })],
  },
  'the size of a chunk': {
    taken: [
      images({ total: 1, payload: bytes(1) }),
      floats({ total: 4, payload: bytes(4) }),
      floats({ total: MIB, payload: bytes(MIB) }),
    ],
    refused: [
      images({ payload: bytes(0) }),
      floats({ total: 2 * MIB, payload: bytes(MIB + 4) }),
      floats({ payload: bytes(7) }),
    ],
  },
  'the encoding of a chunk': {
    taken: [Content.GRADIENT, Content.AVERAGE, Content.OPERAND].map((content) =>
      floats({ content, encoding: Encoding.BFLOAT16, payload: bytes(4) }),
    ),
    refused: [
      ...[3, 100].map((encoding) => floats({ ...({ encoding } as object), payload: bytes(4) })),
      ...[Content.STATE, Content.IMAGES].map((content) =>
        images({ content, encoding: Encoding.BFLOAT16, total: 8, payload: bytes(4) }),
      ),
    ],
  },
  'the size of a chunk in bfloat16': {
    taken: [
      floats({ encoding: Encoding.BFLOAT16, offset: 4, payload: bytes(2) }),
      floats({ encoding: Encoding.BFLOAT16, total: 2 * MIB, payload: bytes(MIB) }),
    ],
    refused: [3, 6, 8].map((length) => floats({ encoding: Encoding.BFLOAT16, payload: bytes(length) })),
  },
  'the place of a chunk': {
    taken: [
      images({ offset: 1, total: 4 }),
      floats({ offset: 8, total: 16 }),
      floats({ total: 0xffff_fffc }),
    ],
    refused: [
      images({ offset: 1 }),
      images({ total: 0 }),
      images({ offset: 0xffff_ffff, total: 0xffff_ffff }),
      floats({ offset: 2, total: 16 }),
      floats({ total: 9 }),
    ],
  },
};

describe('a message is taken up to its limit, and rejected beyond:', () => {
  for (const [name, { taken, refused }] of Object.entries(LIMITS)) {
    it(name, () => {
      assert.deepEqual(
        taken.map((message) => fate(encode(message))),
        taken.map(() => 'message'),
      );
      assert.deepEqual(
        refused.map((message) => fate(encode(message))),
        refused.map(() => 'out_of_range'),
      );
    });
  }
});

describe('a phase', () => {
  it('is needed by what is of a phase, and is nothing for any other message', () => {
    const kinds = (phase: Header['phase']): BodyKind[] =>
      MESSAGES.filter((message) => fate(encode({ ...message, phase })) === 'message').map(({ kind }) => kind);
    const ofPhase = [
      ...([
        'ready',
        'assignment',
        'compute',
        'chunk',
        'sharedChunk',
        'shardDone',
        'apply',
        'averaged',
      ] as const),
    ];
    // The compute there is one of local steps, which are no update that could come next.
    assert.deepEqual(
      kinds('generator'),
      ofPhase.filter((kind) => kind !== 'compute'),
    );
    assert.equal(fate(encode(sample('compute', { steps: 0 }, { phase: 'generator' }))), 'message');
    assert.deepEqual(
      kinds('local'),
      ofPhase.filter((kind) => kind !== 'ready' && kind !== 'assignment'),
    );
    // Who is ready may have a state, or none.
    assert.deepEqual(
      kinds(undefined),
      MESSAGES.map(({ kind }) => kind).filter(
        (kind) => kind === 'ready' || !ofPhase.some((each) => each === kind),
      ),
    );
  });
});

describe('a reason', () => {
  it('is made such that it arrives: one line, of what can be shown', () => {
    const told = tellable(`\x1b[31mno memory\r\n\u202e${'x'.repeat(2000)}`);
    assert.match(told, /^\ufffd\[31mno memory\ufffd\ufffd\ufffdx+$/);
    assert.equal(told.length, 1000);
    assert.equal(fate(encode(sample('failure', { reason: told }))), 'message');
    // Cut in the middle of a character: half of it would be broken text.
    const cut = tellable(`${'x'.repeat(999)}🙂`);
    assert.equal(fate(encode(sample('failure', { reason: cut }))), 'message');
  });

  it('for a rejection repeats nothing of what was rejected: it is logged', () => {
    for (const message of [
      sample('failure', { reason: '\x1b[2J' }),
      sample('ready', { optionsHash: '\x1b[2J' }),
    ])
      assert.throws(
        () => decode(encode(message)),
        (error) => error instanceof Rejection && !error.message.includes('\x1b'),
      );
  });
});
