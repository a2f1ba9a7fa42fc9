import { check } from './check.js';
import { withChecksum, withoutChecksum, type Coverage } from './checksum.js';
import { dcgan } from './generated/trainer.js';
import { CHUNK_BYTES, LIMITS, MAX_FRAME_BYTES } from './limits.js';
import type { BodyKind, Header, Message, PhaseName } from './message.js';
import { Rejection } from './rejection.js';

/** Compared in the handshake: raised with every change of trainer.proto or of what its messages mean. */
export const PROTOCOL_VERSION = 9;

export { CHUNK_BYTES, MAX_FRAME_BYTES };

const PHASE_NAMES: Readonly<Record<dcgan.Phase, PhaseName | undefined>> = {
  [dcgan.Phase.NONE]: undefined,
  [dcgan.Phase.DISCRIMINATOR]: 'discriminator',
  [dcgan.Phase.GENERATOR]: 'generator',
  [dcgan.Phase.LOCAL]: 'local',
};

const PHASE_NUMBERS = {
  discriminator: dcgan.Phase.DISCRIMINATOR,
  generator: dcgan.Phase.GENERATOR,
  local: dcgan.Phase.LOCAL,
} as const;

/** A message as it travels: an `Envelope`, after that of a chunk its payload, and last a checksum. */
export type Frames = readonly Uint8Array[];

/** The payload is not copied: it must not change until it is sent. */
export function encode(message: Message, coverage: Coverage = 'message'): Frames {
  const envelope = encodeEnvelope(message);
  const frames = message.kind === 'chunk' ? [envelope, message.body.payload] : [envelope];
  return withChecksum(frames, coverage);
}

function encodeEnvelope({ run, generation, step, phase, kind, body }: Message): Uint8Array {
  const number = phase ? PHASE_NUMBERS[phase] : dcgan.Phase.NONE;
  return dcgan.Envelope.encode({ run, generation, step, phase: number, [kind]: body }).finish();
}

export function byteLength(frames: Frames): number {
  return frames.reduce((sum, { length }) => sum + length, 0);
}

/** Throws a Rejection for whatever is not a valid message. Never repairs one. */
export function decode(frames: Frames, coverage: Coverage = 'message'): Message {
  if (frames.length < 2 || frames.length > 3)
    throw new Rejection('undecodable', `a message of ${frames.length} frames`);
  const [first, payload] = withoutChecksum(frames, coverage);
  const envelope = parse(first);
  const kind = envelope.body;
  if (!kind) throw new Rejection('undecodable', 'a message without a body');
  if (frames.length !== (kind === 'chunk' ? 3 : 2))
    throw new Rejection('undecodable', `${kind} of ${frames.length} frames`);
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
  requireOnlyEncoding(message, first);
  return message;
}

function parse(bytes: Uint8Array): dcgan.Envelope {
  if (bytes.length > LIMITS.envelopeBytes)
    throw new Rejection('undecodable', `an envelope of ${bytes.length} bytes`);
  try {
    return dcgan.Envelope.decode(bytes);
  } catch {
    throw new Rejection('undecodable', `${bytes.length} bytes that are no message`);
  }
}

function bodyOf(envelope: dcgan.Envelope, kind: BodyKind, payload: Uint8Array): object {
  const body = envelope[kind] as object;
  return kind === 'chunk' ? Object.assign(body, { payload }) : body;
}

/**
 * Requires the canonical encoding. Protobuf allows many: unknown fields, fields and bodies twice, long forms of
 * numbers, invalid text. Only messages that identify versions may have more: the hello of another version, so that it
 * is refused with a reason, and the refusal.
 */
function requireOnlyEncoding(message: Message, envelope: Uint8Array): void {
  if (message.kind === 'refusal') return;
  if (message.kind === 'hello' && message.body.protocol !== PROTOCOL_VERSION) return;
  if (Buffer.compare(encodeEnvelope(message), envelope) !== 0)
    throw new Rejection('undecodable', `${message.kind} that is not encoded as we do`);
}
