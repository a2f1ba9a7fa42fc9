import { Segments, type OpenSegments } from '../../src/wire/segments/segments.js';
import type { Transport } from './rows.js';

/** Memory to share, for the rows that measure it. */
export function segmentsFor(transport: Transport): OpenSegments {
  return (room) => (transport === 'memory' ? Segments.open(room) : Promise.resolve(undefined));
}
