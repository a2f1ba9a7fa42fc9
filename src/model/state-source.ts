/** Takes a part of an array that comes in order, at this byte. */
export type TakeBytes = (bytes: Uint8Array, offset: number) => Promise<void> | void;

/** State to start from, other than the seed's: the bytes of a whole state. */
export interface StateSource {
  readonly bytes: number;
  /** SHA-256 of them, in hexadecimal. */
  readonly digest: string;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A copy of the whole state at one moment. Training does not change it. */
export interface StateCopy {
  /** Hands the copy over, piece by piece and in order, once. Rejects with CopyLost where it is gone. */
  read(take: TakeBytes): Promise<void>;
}

/** The copy of the state is gone with the worker that held it: another can be taken. */
export class CopyLost extends Error {
  override readonly name = 'CopyLost';
}
