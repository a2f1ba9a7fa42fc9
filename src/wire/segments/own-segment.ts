import { closeSync } from 'node:fs';
import type { Libc, Mapping } from './libc.js';
import { ALIGNMENT, HEADER_BYTES, SegmentHeader } from './segment-layout.js';
import { formatSegmentName, newToken } from './segment-name.js';

/** Position in a segment. */
export interface Place {
  readonly at: number;
  readonly bytes: number;
  /** Reuse count of the segment at that time. */
  readonly use: number;
}

/**
 * Memory of this process that others of this machine can read. It is a file without a name: when the last process that has
 * it ends, however that is, it is gone.
 */
export class OwnSegment {
  readonly token = newToken();
  readonly tokenBytes = Buffer.from(this.token, 'hex');
  readonly name: string;
  readonly header: SegmentHeader;
  readonly #mapping: Mapping;
  readonly #descriptor: number;
  #used = HEADER_BYTES;
  #isNew = false;
  #isClosed = false;
  /** Placed last, for several others: it is copied once. */
  #last: { readonly payload: Uint8Array; readonly place: Place } | undefined;

  /** Room for so many bytes. Throws where the system gives none. */
  constructor(libc: Libc, room: number) {
    const bytes = HEADER_BYTES + room;
    this.#descriptor = libc.createMemory(segmentFile(this.token), bytes);
    try {
      this.#mapping = libc.map(this.#descriptor, bytes, 'read and write');
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
    this.header = new SegmentHeader(this.#mapping.bytes);
    this.name = formatSegmentName({
      ...{ process: process.pid, descriptor: this.#descriptor, bytes, token: this.token },
    });
  }

  /** Allows the next placement to overwrite earlier data, which all readers have read by then. */
  beginAnew(): void {
    this.#isNew = true;
  }

  /** Copies a payload into the segment; undefined where there is no room. */
  place(payload: Uint8Array): Place | undefined {
    if (this.#isNew) {
      this.#isNew = false;
      this.#used = HEADER_BYTES;
      this.#last = undefined;
      this.header.useAnew();
    }
    if (this.#last?.payload === payload) return this.#last.place;
    const { bytes } = this.#mapping;
    const at = this.#used;
    const end = at + payload.length;
    if (end > bytes.length) return undefined;
    bytes.set(payload, at);
    this.#used = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    const place = { at, bytes: payload.length, use: this.header.uses };
    this.#last = { payload, place };
    return place;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#mapping.close();
    closeSync(this.#descriptor);
  }
}

/** Name of a segment's file in /proc. */
export function segmentFile(token: string): string {
  return `dcgan-${token}`;
}
