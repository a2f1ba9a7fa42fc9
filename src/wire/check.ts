import { isAddress } from './address.js';
import { CHUNK_BYTES, LIMITS } from './limits.js';
import {
  Content,
  Encoding,
  Source,
  type Bodies,
  type BodyKind,
  type Header,
  type Message,
  type MessageOf,
} from './message.js';
import { Rejection } from './rejection.js';
import { parseSegmentName } from './segments/segment-name.js';
import { isPrintable } from './text.js';

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Content of chunks that belong to a phase. All other content is pulled. */
const PUSHED: readonly Content[] = [Content.GRADIENT, Content.AVERAGE, Content.OPERAND];
const SNAPSHOTS: readonly Content[] = [Content.STATE, Content.SAMPLES];
const PULLED: readonly Content[] = [...SNAPSHOTS, Content.IMAGES];

/** Place of a chunk in its array, and its encoding. */
type ChunkPlace = Pick<Bodies['chunk'], 'content' | 'offset' | 'total' | 'encoding'>;

const CHECKS: { readonly [Kind in BodyKind]: (message: MessageOf<Kind>) => void } = {
  hello: (message) => {
    forbidPhase(message);
    requireText('host', message.body.host, LIMITS.hostCharacters);
    requireText('process', message.body.process, LIMITS.processCharacters);
    requireText('secret', message.body.secret, LIMITS.secretCharacters);
  },
  welcome: (message) => {
    const { worker, options, optionsHash, datasetFingerprint, datasetCount, liveness } = message.body;
    forbidPhase(message);
    requireBelow('worker', worker, LIMITS.workers);
    requireLength('options', options, LIMITS.optionsCharacters);
    requireHash('options hash', optionsHash);
    requireHash("dataset's fingerprint", datasetFingerprint);
    requireSome('images', datasetCount);
    requireSome('liveness', liveness);
    requireBelow('liveness', liveness, LIMITS.livenessMilliseconds);
    requireSegment(message.body.segment);
  },
  refusal: (message) => {
    forbidPhase(message);
    requireReason(message.body);
  },
  ready: (message) => {
    const { optionsHash, engine, datasetFingerprint, peerAddresses, peerKey, peerToken } = message.body;
    if (message.phase) requireUpdate(message);
    requireHash('options hash', optionsHash);
    requireText('engine', engine, LIMITS.engineCharacters);
    if (datasetFingerprint !== '') requireHash("dataset's fingerprint", datasetFingerprint);
    requireSegment(message.body.segment);
    requireAddresses(peerAddresses, peerKey, peerToken);
  },
  assignment: (message) => {
    const { shards, source, stateDigest, workerOfShard, neighbours } = message.body;
    requireUpdate(message);
    requireShards(shards);
    requireSource(source);
    if (stateDigest !== '') requireHash("state's digest", stateDigest);
    if (workerOfShard.length > LIMITS.shards) throw outOfRange(`${workerOfShard.length} shards`);
    for (const worker of workerOfShard) requireBelow('worker', worker, LIMITS.workers);
    for (const neighbour of neighbours) requirePeer(neighbour);
  },
  prepared: forbidPhase,
  compute: (message) => {
    const { phase, step, body } = message;
    requirePhase(message);
    const isPossible = phase === 'local' ? body.steps >= 1 && body.steps <= step : body.steps === 0;
    if (!isPossible) throw outOfRange(`${body.steps} steps up to step ${step}, ${String(phase)}`);
  },
  chunk: (message) => {
    const { content, shard } = message.body;
    requireContent(content, [...PUSHED, ...PULLED]);
    if (PUSHED.includes(content)) requirePhase(message);
    else forbidPhase(message);
    requireBelow('shard', shard, content === Content.OPERAND ? LIMITS.operands : LIMITS.shards);
    requireEncoding(message.body);
    requirePlace(message.body, message.body.payload.length);
  },
  sharedChunk: (message) => {
    const { content, shard, bytes } = message.body;
    requireContent(content, PUSHED);
    requirePhase(message);
    requireBelow('shard', shard, content === Content.OPERAND ? LIMITS.operands : LIMITS.shards);
    requireEncoding(message.body);
    requirePlace(message.body, bytes);
  },
  shardDone: (message) => {
    const { shard, computeSeconds } = message.body;
    requirePhase(message);
    requireBelow('shard', shard, LIMITS.shards);
    // Not `<`: it has to be false for what is no number as well.
    if (!(computeSeconds >= 0 && computeSeconds <= LIMITS.computeSeconds))
      throw outOfRange(`${computeSeconds} seconds`);
  },
  apply: requirePhase,
  averaged: (message) => {
    const { parts, squares, measures } = message.body;
    requirePhase(message);
    if (parts.length > LIMITS.parts || squares.length !== parts.length)
      throw outOfRange(`${parts.length} parts with ${squares.length} squares`);
    for (const part of parts) requireBelow('part', part, LIMITS.parts);
    if (measures.length > LIMITS.measureBytes || measures.length % FLOAT_BYTES !== 0)
      throw outOfRange(`measures of ${measures.length} bytes`);
  },
  unreachable: (message) => {
    forbidPhase(message);
    requireBelow('worker', message.body.worker, LIMITS.workers);
    requireReason(message.body);
  },
  greeting: (message) => {
    forbidPhase(message);
    requireText('token', message.body.token, LIMITS.tokenCharacters);
    requireBelow('worker', message.body.worker, LIMITS.workers);
  },
  snapshot: (message) => {
    forbidPhase(message);
    requireContent(message.body.content, SNAPSHOTS);
  },
  snapshotTaken: (message) => {
    const { content, total, digest } = message.body;
    forbidPhase(message);
    if (digest !== '') requireHash('digest', digest);
    requireContent(content, SNAPSHOTS);
    requireSome('bytes', total);
    requireWholeFloats(content, total);
  },
  fetch: (message) => {
    const { content, shard, offset } = message.body;
    forbidPhase(message);
    requireContent(content, PULLED);
    requireBelow('shard', shard, LIMITS.shards);
    requireWholeFloats(content, offset);
  },
  ping: forbidPhase,
  stop: (message) => {
    forbidPhase(message);
    requireReason(message.body);
  },
  failure: (message) => {
    forbidPhase(message);
    requireReason(message.body);
  },
};

/**
 * Checks each field of a message. Throws a Rejection if one is invalid. The code that uses a message checks its
 * meaning.
 */
export function check(message: Message): void {
  requireText('run', message.run, LIMITS.runCharacters);
  (CHECKS[message.kind] as (message: Message) => void)(message);
}

function requireEncoding({ content, encoding = Encoding.PLAIN }: ChunkPlace): void {
  if (!(encoding in Encoding)) throw outOfRange(`no encoding has number ${encoding}`);
  if (encoding !== Encoding.PLAIN && !PUSHED.includes(content))
    throw outOfRange(`content ${content} in encoding ${encoding}`);
}

/** The bytes that the numbers of a payload have in plain. */
function plainBytes(encoding: Encoding | undefined, bytes: number): number {
  return encoding === Encoding.BFLOAT16 ? 2 * bytes : bytes;
}

/** Checks the place of a payload in its array. */
function requirePlace({ content, offset, total, encoding }: ChunkPlace, written: number): void {
  if (written === 0 || written > CHUNK_BYTES) throw outOfRange(`a chunk of ${written} bytes`);
  const bytes = plainBytes(encoding, written);
  const end = offset + bytes;
  if (end > total) throw outOfRange(`a chunk that ends at ${end} of ${total} bytes`);
  for (const count of [offset, total, bytes]) requireWholeFloats(content, count);
}

function requireShards(shards: readonly number[]): void {
  if (shards.length > LIMITS.shards) throw outOfRange(`${shards.length} shards`);
  for (const shard of shards) requireBelow('shard', shard, LIMITS.shards);
  if (new Set(shards).size !== shards.length) throw outOfRange('a shard that is named twice');
}

function requirePeer(peer: Bodies['assignment']['neighbours'][number]): void {
  requireBelow('worker', peer.worker ?? 0, LIMITS.workers);
  requireText('host', peer.host ?? '', LIMITS.hostCharacters);
  requireAddresses(peer.addresses ?? [], peer.key ?? '', peer.token ?? '');
  requireSegment(peer.segment ?? '');
}

function requireSegment(name: string): void {
  if (name !== '' && !parseSegmentName(name)) throw outOfRange("a segment's name that is none");
}

function requireAddresses(addresses: readonly string[], key: string, token: string): void {
  if (addresses.length > LIMITS.peerAddresses) throw outOfRange(`${addresses.length} addresses`);
  for (const address of addresses) {
    requireText('address', address, LIMITS.hostCharacters);
    if (!isAddress(address)) throw outOfRange('an address that is none');
  }
  requireText('key', key, LIMITS.keyCharacters);
  requireText('token', token, LIMITS.tokenCharacters);
}

function requirePhase({ kind, phase, step }: Header & { kind: BodyKind }): void {
  if (!phase) throw outOfRange(`${kind} without a phase`);
  requireSome('step', step);
}

/** The version of a state is the update that comes next. */
function requireUpdate(message: Header & { kind: BodyKind }): void {
  requirePhase(message);
  if (message.phase === 'local') throw outOfRange(`${message.kind} of local steps, which are no update`);
}

function forbidPhase({ kind, phase }: Header & { kind: BodyKind }): void {
  if (phase) throw outOfRange(`${kind} with a phase`);
}

function requireContent(content: Content, allowed: readonly Content[]): void {
  if (!allowed.includes(content)) throw outOfRange(`content ${content} is not for this`);
}

function requireSource(source: Source): void {
  if (!(source in Source)) throw outOfRange(`no source has number ${source}`);
}

function requireWholeFloats(content: Content, bytes: number): void {
  if (content !== Content.IMAGES && bytes % FLOAT_BYTES !== 0)
    throw outOfRange(`${bytes} bytes, which are not whole floats`);
}

function requireReason({ reason }: { readonly reason: string }): void {
  requireText('reason', reason, LIMITS.reasonCharacters);
}

/** Texts that are logged or shown may do nothing to a terminal. The message never repeats one that is refused. */
function requireText(name: string, text: string, limit: number): void {
  requireLength(name, text, limit);
  if (!isPrintable(text)) throw outOfRange(`${name}: it has characters that cannot be shown`);
}

function requireLength(name: string, text: string, limit: number): void {
  if (text.length > limit) throw outOfRange(`${name}: ${text.length} characters, more than ${limit}`);
}

/** A SHA-256 as we write it. */
function requireHash(name: string, text: string): void {
  if (!/^[0-9a-f]{64}$/.test(text)) throw outOfRange(`${name}: not 64 hexadecimal digits`);
}

function requireBelow(name: string, number: number, limit: number): void {
  if (number >= limit) throw outOfRange(`${name} ${number} of at most ${limit}`);
}

function requireSome(name: string, number: number): void {
  if (number < 1) throw outOfRange(`${name}: ${number}, where at least 1 is needed`);
}

function outOfRange(message: string): Rejection {
  return new Rejection('out_of_range', message);
}
