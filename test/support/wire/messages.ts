import { PROTOCOL_VERSION } from '../../../src/wire/codec.js';
import { Content, Encoding, Source, type Message } from '../../../src/wire/message.js';

const header = { run: 'a run', generation: 3, step: 4_000_000_000, phase: undefined } as const;
const ofPhase = { ...header, phase: 'generator' } as const;
const HASH = 'c0ffee00'.repeat(8);
const SEGMENT = `4711:21:8192:${'5e'.repeat(16)}`;
const FINGERPRINT = '9f3c'.repeat(16);

/** One message of every kind, no field at its default that may have another: what is lost on the way shows. */
export const MESSAGES: readonly Message[] = [
  {
    run: '',
    generation: 0,
    step: 0,
    phase: undefined,
    kind: 'hello',
    body: {
      protocol: PROTOCOL_VERSION + 1,
      host: 'gpu-0.example',
      pid: 4711,
      process: 'a-process',
      secret: '5e'.repeat(32),
    },
  },
  {
    ...header,
    kind: 'welcome',
    body: {
      worker: 3,
      options: '{"seed":1}',
      optionsHash: HASH,
      datasetFingerprint: FINGERPRINT,
      datasetCount: 5000,
      liveness: 10_000,
      peers: true,
      segment: SEGMENT,
    },
  },
  { ...header, kind: 'refusal', body: { reason: 'it is full', retry: true } },
  {
    ...ofPhase,
    kind: 'ready',
    body: {
      ...{ optionsHash: HASH, engine: 'native 2.21.0 cpu', datasetFingerprint: FINGERPRINT },
      ...{
        peerAddresses: ['ipc://@a', 'tcp://10.0.0.1:5556'],
        peerKey: 'k'.repeat(40),
        peerToken: 'a token',
        segment: SEGMENT,
      },
    },
  },
  {
    ...ofPhase,
    kind: 'assignment',
    body: {
      ...{ shards: [2, 3, 300], source: Source.FETCH, stateDigest: HASH, workerOfShard: [1, 2, 300] },
      neighbours: [
        {
          worker: 2,
          host: 'gpu-1',
          addresses: ['tcp://10.0.0.2:5556'],
          key: 'l'.repeat(40),
          token: 't',
          segment: SEGMENT,
        },
      ],
    },
  },
  { ...header, kind: 'prepared', body: {} },
  { ...ofPhase, phase: 'local', kind: 'compute', body: { collect: true, steps: 1 } },
  {
    ...ofPhase,
    kind: 'chunk',
    body: {
      content: Content.GRADIENT,
      shard: 2,
      offset: 8,
      total: 16,
      request: 5,
      encoding: Encoding.BFLOAT16,
      payload: Uint8Array.of(0, 255, 1, 2),
    },
  },
  {
    ...ofPhase,
    kind: 'sharedChunk',
    body: {
      ...{ content: Content.OPERAND, shard: 2, offset: 8, total: 16, encoding: Encoding.BFLOAT16 },
      ...{ at: 4096, bytes: 4, use: 9 },
    },
  },
  { ...ofPhase, kind: 'shardDone', body: { shard: 2, computeSeconds: 0.1 } },
  { ...header, kind: 'snapshot', body: { content: Content.SAMPLES, withDigest: true } },
  { ...header, kind: 'snapshotTaken', body: { content: Content.SAMPLES, total: 12, digest: HASH } },
  { ...header, kind: 'fetch', body: { content: Content.IMAGES, shard: 1, offset: 1_048_576, request: 6 } },
  { ...header, kind: 'stop', body: { reason: 'the run is over' } },
  { ...header, kind: 'failure', body: { reason: 'no memory' } },
  { ...header, kind: 'ping', body: {} },
  { ...ofPhase, kind: 'apply', body: {} },
  {
    ...{ ...ofPhase, kind: 'averaged' },
    body: { parts: [1, 3], squares: [0.5, 2], measures: Uint8Array.of(0, 0, 128, 63), sentBytes: 70_000 },
  },
  { ...header, kind: 'unreachable', body: { worker: 2, reason: 'no way' } },
  { ...header, kind: 'greeting', body: { worker: 2, token: 'a token' } },
];

/** A message as plain fields: the codec's own objects have their defaults in prototypes. */
export function plain(message: Message): object {
  return { ...message, body: plainValue(message.body) as object };
}

function plainValue(value: unknown): unknown {
  if (value instanceof Uint8Array || Array.isArray(value)) return [...(value as unknown[])].map(plainValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainValue(each)]));
}
