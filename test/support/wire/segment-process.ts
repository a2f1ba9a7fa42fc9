import { once } from 'node:events';
import type { Place } from '../../../src/wire/segments/own-segment.js';
import { Segments } from '../../../src/wire/segments/segments.js';

/** A process that says its segment's name and, when the other one reads it, places bytes there, says where, and stays. */

setTimeout(() => process.exit(1), 30_000);
process.once('disconnect', () => process.exit());
const other = process.argv[2];
const segments = await Segments.open(64 * 1024);
segments.readOnly([other]);
process.send?.(segments.name);
await once(process, 'message');
const place: Place | undefined = segments.placeFor(
  other,
  Uint8Array.from({ length: 1000 }, (_, i) => i),
);
process.send?.(place);
