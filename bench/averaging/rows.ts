import { WIRE_FORMATS, type WireFormat } from '../../src/averaging/wire-format.js';

export type Way = 'star' | 'ring' | 'tree';

/** What the vectors go over: memory is shared, and announced over ipc; curve is tcp, encrypted. */
export type Transport = 'memory' | 'ipc' | 'tcp' | 'curve';

/** One way to average, and a row of the table. */
export interface Row {
  readonly program: 'here' | 'gloo';
  /** Of gloo, one that it chooses itself. */
  readonly way: Way | undefined;
  readonly transport: Transport;
  readonly wire: WireFormat;
  readonly processes: number;
}

export const WAYS: readonly Way[] = ['star', 'ring', 'tree'];
const TRANSPORTS: readonly Transport[] = ['memory', 'ipc', 'tcp', 'curve'];

/** Every row of so many processes. Of two workers, a tree is a ring. */
export function rowsFor(processes: number): Row[] {
  const ways = WAYS.filter((way) => way !== 'tree' || processes > 2);
  const own = WIRE_FORMATS.flatMap((wire) =>
    TRANSPORTS.flatMap((transport) =>
      ways.map((way): Row => ({ program: 'here', way, transport, wire, processes })),
    ),
  );
  return [{ program: 'gloo', way: undefined, transport: 'tcp', wire: 'fp32', processes }, ...own];
}

/** "ring, ipc, bf16, 2": no two rows have the same. */
export function labelOf({ program, way, transport, wire, processes }: Row): string {
  return `${way ?? program}, ${transport}, ${wire}, ${processes}`;
}
