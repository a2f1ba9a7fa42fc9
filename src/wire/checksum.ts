import { crc32 } from 'node:zlib';
import { Rejection } from './rejection.js';

/** The last frame of every message: the CRC-32 of the frames before it, little-endian. */
export const CHECKSUM_BYTES = 4;

/**
 * The frames and their checksum. TCP's own sums miss one damaged packet in some ten thousand, and none of them sees
 * what memory or a relay does; a gradient with one wrong bit would train on unnoticed. Costs 0.25 ms for a MiB.
 */
export function withChecksum(frames: readonly Uint8Array[]): readonly Uint8Array[] {
  const checksum = new Uint8Array(CHECKSUM_BYTES);
  viewOf(checksum).setUint32(0, checksumOf(frames), true);
  return [...frames, checksum];
}

/** The frames without their checksum. Throws a Rejection where it is missing or does not match. */
export function withoutChecksum(frames: readonly Uint8Array[]): readonly Uint8Array[] {
  const checksum = frames.at(-1);
  if (checksum?.length !== CHECKSUM_BYTES)
    throw new Rejection('undecodable', 'a message that does not end with a checksum');
  const rest = frames.slice(0, -1);
  if (viewOf(checksum).getUint32(0, true) !== checksumOf(rest))
    throw new Rejection('undecodable', 'a message whose checksum does not match');
  return rest;
}

function checksumOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, frame) => crc32(frame, sum), 0);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
