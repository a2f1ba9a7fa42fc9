import type { ModelLayout } from './layout.js';
import type { ReplicaHandle } from './replica-handle.js';
import { sharedFloats } from './replica-protocol.js';
import { stateLayout, stateParts } from './state.js';

/** A part of a state, whole tensors from element `at` on. */
export interface StatePiece {
  readonly at: number;
  readonly part: Float32Array;
}

/** A state is as large as all that training changes: it passes in parts, through one buffer. */
function* statePieces(layout: ModelLayout): Generator<StatePiece> {
  const parts = stateParts(stateLayout(layout));
  const buffer = sharedFloats(Math.max(...parts.map(({ start, end }) => end - start)));
  for (const { start, end } of parts) yield { at: start, part: buffer.subarray(0, end - start) };
}

/** Has a replica take over the state that `fill` makes, part by part. */
export async function restoreState(
  replica: ReplicaHandle,
  layout: ModelLayout,
  fill: (piece: StatePiece) => Promise<void> | void,
): Promise<void> {
  for (const piece of statePieces(layout)) {
    await fill(piece);
    await replica.call('restore', { state: piece.part, at: piece.at });
  }
}
