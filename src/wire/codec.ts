import { dcgan } from './generated/trainer.js';
import type { BodyKind, Content, Header, Message, PhaseName } from './message.js';
import { Rejection } from './rejection.js';

/** Compared in the handshake: raised with every change of trainer.proto or of what its messages mean. */
export const PROTOCOL_VERSION = 1;

/** Arrays travel in chunks: ZeroMQ's limits count messages, and a chunk can be used while others are on their way. */
export const CHUNK_BYTES = 1024 * 1024;

/** What a socket accepts at most: a chunk with its envelope. A larger message closes its sender's connection. */
export const MAX_MESSAGE_BYTES = CHUNK_BYTES + 64 * 1024;

const PHASE_NAMES: Readonly<Record<dcgan.Phase, PhaseName | undefined>> = {
  [dcgan.Phase.NONE]: undefined,
  [dcgan.Phase.DISCRIMINATOR]: 'discriminator',
  [dcgan.Phase.GENERATOR]: 'generator',
};

const PHASE_NUMBERS = { discriminator: dcgan.Phase.DISCRIMINATOR, generator: dcgan.Phase.GENERATOR } as const;

export function encode(message: Message): Uint8Array {
  const { run, generation, step, phase, kind, body } = message;
  const number = phase ? PHASE_NUMBERS[phase] : dcgan.Phase.NONE;
  return dcgan.Envelope.encode({ run, generation, step, phase: number, [kind]: body }).finish();
}

/** Throws a Rejection for whatever is not a valid message. Never repairs one. */
export function decode(bytes: Uint8Array): Message {
  const envelope = parse(bytes);
  const kind = envelope.body;
  if (!kind) throw new Rejection('undecodable', 'a message without a body');
  if (!(envelope.phase in PHASE_NAMES))
    throw new Rejection('out_of_range', `no phase has number ${envelope.phase}`);
  const header: Header = {
    run: envelope.run,
    generation: envelope.generation,
    step: envelope.step,
    phase: PHASE_NAMES[envelope.phase],
  };
  const message = { ...header, kind, body: bodyOf(envelope, kind) } as Message;
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

function bodyOf(envelope: dcgan.Envelope, kind: BodyKind): object {
  return envelope[kind] as object;
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
    case 'hello':
    case 'welcome':
    case 'refusal':
    case 'ready':
    case 'assignment':
    case 'prepared':
    case 'compute':
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
