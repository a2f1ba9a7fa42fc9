import { dcgan } from './generated/trainer.js';

export const Content = dcgan.Content;
export type Content = dcgan.Content;

export const Source = dcgan.Source;
export type Source = dcgan.Source;

export const Encoding = dcgan.Encoding;
export type Encoding = dcgan.Encoding;

/** A phase of a step or, `local`, the whole steps that each shard trains on its own. */
export type PhaseName = 'discriminator' | 'generator' | 'local';

/** The names of the envelope's `oneof`. */
export type BodyKind = NonNullable<dcgan.Envelope['body']>;

/** A generated message's fields, all present: proto3 has a default for each. */
type Fields<T> = {
  readonly [Name in keyof T as Name extends '$unknowns' ? never : Name]-?: NonNullable<T[Name]>;
};

type EnvelopeBodies = { readonly [Kind in BodyKind]: Fields<NonNullable<dcgan.Envelope[Kind]>> };

/** A chunk's payload is a frame of its own, so that it is sent from where it lies and used where it arrives. */
export type Bodies = Omit<EnvelopeBodies, 'chunk'> & {
  readonly chunk: Omit<EnvelopeBodies['chunk'], 'encoding'> & {
    /** Plain where nothing is said. */
    readonly encoding?: Encoding;
    readonly payload: Uint8Array;
  };
};

/** Fields of every message besides its body. */
export interface Header {
  /** Empty only in `hello`. */
  readonly run: string;
  /** Which generation of the run it belongs to. */
  readonly generation: number;
  readonly step: number;
  readonly phase: PhaseName | undefined;
}

/** One message on the wire, told apart by `kind`. */
export type Message = {
  [Kind in BodyKind]: Header & { readonly kind: Kind; readonly body: Bodies[Kind] };
}[BodyKind];

/** The bytes that lie elsewhere and that a message only names: they count as sent and received too. */
export function sharedBytes(message: Message): number {
  return message.kind === 'sharedChunk' ? message.body.bytes : 0;
}

export type MessageOf<Kind extends BodyKind> = Extract<Message, { kind: Kind }>;
