export type Way = 'star' | 'ring' | 'tree';

/** What the vectors go over: curve is tcp, encrypted. */
export type Transport = 'ipc' | 'tcp' | 'curve';

/** One way to average, and a row of the table. */
export interface Row {
  readonly program: 'here' | 'gloo';
  /** Of gloo, one that it chooses itself. */
  readonly way: Way | undefined;
  readonly transport: Transport;
  readonly processes: number;
}

const WAYS: readonly Way[] = ['star', 'ring', 'tree'];
const TRANSPORTS: readonly Transport[] = ['ipc', 'tcp', 'curve'];

/** Every row of so many processes. Of two workers, a tree is a ring. */
export function rowsFor(processes: number): Row[] {
  const own = TRANSPORTS.flatMap((transport) =>
    WAYS.filter((way) => way !== 'tree' || processes > 2).map((way): Row => ({
      program: 'here',
      way,
      transport,
      processes,
    })),
  );
  return [{ program: 'gloo', way: undefined, transport: 'tcp', processes }, ...own];
}

/** "ring, ipc, 2": no two rows have the same. */
export function labelOf({ program, way, transport, processes }: Row): string {
  return `${way ?? program}, ${transport}, ${processes}`;
}
