import { Content, Source, type Message } from '../../../src/wire/message.js';

const header = { run: 'a run', generation: 3, step: 4_000_000_000, phase: 'generator' } as const;

/** One message of every kind, no field at its default: what is lost on the way shows. */
export const MESSAGES: readonly Message[] = [
  {
    run: '',
    generation: 0,
    step: 0,
    phase: undefined,
    kind: 'hello',
    body: { protocol: 7, host: 'gpu-0.example', pid: 4711 },
  },
  {
    ...header,
    kind: 'welcome',
    body: {
      worker: 3,
      options: '{"seed":1}',
      optionsHash: 'c0ffee',
      datasetFingerprint: '9f3c',
      datasetCount: 5000,
      liveness: 10_000,
      warmUp: true,
    },
  },
  { ...header, kind: 'refusal', body: { reason: 'it is full', retry: true } },
  {
    ...header,
    kind: 'ready',
    body: { optionsHash: 'c0ffee', engine: 'native 2.21.0 cpu', datasetFingerprint: '9f3c' },
  },
  { ...header, kind: 'assignment', body: { shards: [2, 3, 300], source: Source.FETCH, stateDigest: '5a7e' } },
  { ...header, kind: 'prepared', body: {} },
  { ...header, phase: 'discriminator', kind: 'compute', body: {} },
  {
    ...header,
    kind: 'chunk',
    body: { content: Content.GRADIENT, shard: 2, offset: 8, total: 13, request: 5, payload: Uint8Array.of(0, 255, 1, 2) },
  },
  { ...header, kind: 'shardDone', body: { shard: 2, computeSeconds: 0.1 } },
  { ...header, kind: 'snapshot', body: { content: Content.STATE, withDigest: true } },
  { ...header, kind: 'snapshotTaken', body: { content: Content.SAMPLES, total: 12, digest: '5a7e' } },
  { ...header, kind: 'fetch', body: { content: Content.IMAGES, shard: 1, offset: 1_048_576, request: 6 } },
  { ...header, kind: 'stop', body: { reason: 'the run is over' } },
  { ...header, kind: 'failure', body: { reason: 'no memory' } },
  { ...header, kind: 'ping', body: {} },
  { ...header, kind: 'apply', body: {} },
];

/** A message as plain fields: the codec's own objects have their defaults in prototypes. */
export function plain(message: Message): object {
  const body = Object.entries(message.body).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Uint8Array ? [...value] : value,
  ]);
  return { ...message, body: Object.fromEntries(body) as object };
}
