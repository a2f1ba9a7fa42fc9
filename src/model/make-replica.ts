import type { Engine } from '../engine/engine.js';
import { EagerReplica } from './eager-replica.js';
import { SAMPLE_COUNT } from './noise.js';
import type { ReplicaCalls } from './replica-protocol.js';
import type { Replica } from './replica.js';

/** The replica that a request to load asks for, on the engine that is loaded. */
export async function makeReplica(
  engine: Engine,
  { model, optimizer, recorded }: ReplicaCalls['load']['request'],
): Promise<Replica> {
  if (!recorded) return new EagerReplica(model, optimizer);
  if (!engine.precisions.includes(recorded.precision))
    throw new Error(`the ${engine.name} engine on this machine does not compute in ${recorded.precision}`);
  // Recording needs the native binding, which an eager replica on another engine does not load.
  const [{ nativeBackend }, { Recording }, { RecordedReplica }] = await Promise.all([
    import('../engine/native/index.js'),
    import('../engine/recording/index.js'),
    import('./recorded-replica.js'),
  ]);
  const recording = new Recording(nativeBackend());
  return new RecordedReplica(recording, { ...{ model, optimizer, samples: SAMPLE_COUNT }, ...recorded });
}
