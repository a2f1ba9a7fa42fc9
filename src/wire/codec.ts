import { dcgan } from './generated/trainer.js';
import type { BodyKind, Content, Header, Message, PhaseName } from './message.js';
import { Rejection } from './rejection.js';

/** Compared in the handshake: raised with every change of trainer.proto or of what its messages mean. */
export const PROTOCOL_VERSION = 2;

/** Arrays travel in chunks: ZeroMQ's limits count messages, and a chunk can be used while others are on their way. */
export const CHUNK_BYTES = 1024 * 1024;

/** The largest frame that a socket accepts. A larger one closes its sender's connection. */
export const MAX_FRAME_BYTES = CHUNK_BYTES + 64 * 1024;

const PHASE_NAMES: Readonly<Record<dcgan.Phase, PhaseName | undefined>> = {
  [dcgan.Phase.NONE]: undefined,
  [dcgan.Phase.DISCRIMINATOR]: 'discriminator',
  [dcgan.Phase.GENERATOR]: 'generator',
};

const PHASE_NUMBERS = { discriminator: dcgan.Phase.DISCRIMINATOR, generator: dcgan.Phase.GENERATOR } as const;

/** A message as it travels: an `Envelope`, and after that of a chunk its payload. */
export type Frames = readonly Uint8Array[];

/** The payload is not copied: it must not change until it is sent. */
export function encode(message: Message): Frames {
  const { run, generation, step, phase, kind, body } = message;
  const number = phase ? PHASE_NUMBERS[phase] : dcgan.Phase.NONE;
  const envelope = dcgan.Envelope.encode({ run, generation, step, phase: number, [kind]: body }).finish();
  return kind === 'chunk' ? [envelope, body.payload] : [envelope];
}

export function byteLength(frames: Frames): number {
  return frames.reduce((sum, { length }) => sum + length, 0);
}

/** Throws a Rejection for whatever is not a valid message. Never repairs one. */
export function decode(frames: Frames): Message {
  if (frames.length === 0) throw new Rejection('undecodable', 'a message of no frames');
  const [first, payload] = frames;
  const envelope = parse(first);
  const kind = envelope.body;
  if (!kind) throw new Rejection('undecodable', 'a message without a body');
  if (frames.length !== (kind === 'chunk' ? 2 : 1))
    throw new Rejection('undecodable', `a ${kind} of ${frames.length} frames`);
  if (!(envelope.phase in PHASE_NAMES))
    throw new Rejection('out_of_range', `no phase has number ${envelope.phase}`);
  const header: Header = {
    run: envelope.run,
    generation: envelope.generation,
    step: envelope.step,
    phase: PHASE_NAMES[envelope.phase],
  };
  const message = { ...header, kind, body: bodyOf(envelope, kind, payload) } as Message;
  check(message);
  return message;
}

function parse(bytes: Uint8Array): dcgan.Envelope {
  try {
    return dcgan.Envelope.decode(bytes);
  } catch {
    throw new Rejection('undecodable', `${bytes.length} bytes that are no message`);
  }
}

function bodyOf(envelope: dcgan.Envelope, kind: BodyKind, payload: Uint8Array): object {
  if (kind !== 'chunk' || !envelope.chunk) return envelope[kind] as object;
  const { content, shard, offset, total } = envelope.chunk;
  return { content, shard, offset, total, payload };
}

/** What can be checked of a message by itself. What it means is checked where it is used. */
function check(message: Message): void {
  switch (message.kind) {
    case 'chunk': {
      const { offset, total, payload, content } = message.body;
      requireContent(content);
      if (payload.length === 0 || payload.length > CHUNK_BYTES)
        throw new Rejection('out_of_range', `a chunk of ${payload.length} bytes`);
      if (offset + payload.length > total)
        throw new Rejection(
          'out_of_range',
          `a chunk that ends at ${offset + payload.length} of ${total} bytes`,
        );
      return;
    }
    case 'shardDone':
      if (!(message.body.computeSeconds >= 0 && Number.isFinite(message.body.computeSeconds)))
        throw new Rejection('out_of_range', `${message.body.computeSeconds} seconds`);
      return;
    case 'snapshot':
    case 'snapshotTaken':
    case 'fetch':
      requireContent(message.body.content);
      return;
    case 'welcome':
      // A worker's cache has files named by it, which must lie nowhere else.
      if (!/^[0-9a-f]{1,64}$/.test(message.body.datasetFingerprint))
        throw new Rejection('out_of_range', 'a fingerprint that is no SHA-256');
      return;
    case 'hello':
    case 'refusal':
    case 'ready':
    case 'assignment':
    case 'prepared':
    case 'compute':
    case 'apply':
    case 'stop':
    case 'failure':
    case 'ping':
      return;
  }
}

function requireContent(content: Content): void {
  if (content === dcgan.Content.UNKNOWN || !(content in dcgan.Content))
    throw new Rejection('out_of_range', `no content has number ${content}`);
}
