import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { Rejection } from '../rejection.js';
import type { Libc, Mapping } from './libc.js';
import { segmentFile, type Place } from './own-segment.js';
import { HEADER_BYTES, SegmentHeader } from './segment-layout.js';
import type { SegmentName } from './segment-name.js';

/** Memory of another process of this machine, to read from. */
export class OtherSegment {
  readonly header: SegmentHeader;
  readonly #mapping: Mapping;

  /**
   * Throws where this process cannot read it: it is another machine's or container's, another user's, or no segment.
   * Its descriptor may be another file's there, which is told by its name and never opened.
   */
  constructor(
    libc: Libc,
    readonly name: SegmentName,
  ) {
    const path = `/proc/${name.process}/fd/${name.descriptor}`;
    if (!readlinkSync(path).startsWith(`/memfd:${segmentFile(name.token)}`))
      throw new Error(`${path} is no segment of that name`);
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (fstatSync(descriptor).size !== name.bytes || name.bytes < HEADER_BYTES)
        throw new Error(`${path} has another size than ${name.bytes} bytes`);
      if (!libc.cannotShrink(descriptor)) throw new Error(`${path} could shrink while it is read`);
      this.#mapping = libc.map(descriptor, name.bytes, 'read');
    } finally {
      closeSync(descriptor);
    }
    this.header = new SegmentHeader(this.#mapping.bytes);
  }

  /**
   * Returns the bytes at a position, without a copy. They are valid until the owner learns that this process has read
   * them. Throws a Rejection if the position is invalid or was overwritten.
   */
  view(place: Place): Uint8Array {
    const { at, bytes } = place;
    if (at < HEADER_BYTES || at + bytes > this.name.bytes)
      throw new Rejection('out_of_range', `${bytes} bytes at ${at} of a segment of ${this.name.bytes}`);
    this.requireUnchanged(place);
    return this.#mapping.bytes.subarray(at, at + bytes);
  }

  /** Throws a Rejection where what was read there may have been overwritten meanwhile. */
  requireUnchanged({ use }: Place): void {
    if (this.header.uses !== use)
      throw new Rejection('out_of_sequence', 'its segment was used anew before this was read');
  }

  close(): void {
    this.#mapping.close();
  }
}
