import { Encoding, type Bodies, type Header, type Message, type MessageOf } from '../message.js';
import { Rejection } from '../rejection.js';
import type { Place } from './own-segment.js';
import type { Segments } from './segments.js';

/** A round's chunk for the owner of a segment: with its place, where that one reads it, or else with its payload. */
export function chunkFor(
  segments: Segments | undefined,
  segment: string,
  header: Header,
  body: Bodies['chunk'],
): Message {
  const place = segments?.placeFor(segment, body.payload);
  return place
    ? { ...header, kind: 'sharedChunk', body: sharedChunkAt(body, place) }
    : { ...header, kind: 'chunk', body };
}

/** The chunk whose payload lies at this place. */
export function sharedChunkAt(body: Bodies['chunk'], place: Place): Bodies['sharedChunk'] {
  const { content, shard, offset, total, encoding = Encoding.PLAIN } = body;
  return { content, shard, offset, total, encoding, ...place };
}

/**
 * Returns the chunk whose payload the owner of this segment placed there, without a copy. Throws a Rejection if the
 * position is invalid or was overwritten.
 */
export function chunkOf(
  segments: Segments | undefined,
  segment: string,
  message: MessageOf<'sharedChunk'>,
): MessageOf<'chunk'> {
  if (!segments) throw new Rejection('unexpected', 'a place in a segment, of which none is read here');
  // What is decoded has its zeros in its prototype, where a spread does not find them.
  const { content, shard, offset, total, encoding, at, bytes, use } = message.body;
  const payload = segments.view(segment, { at, bytes, use });
  return {
    ...message,
    kind: 'chunk',
    body: { content, shard, offset, total, encoding, request: 0, payload },
  };
}
