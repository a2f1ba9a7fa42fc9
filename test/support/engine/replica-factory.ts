import type { AdamOptions } from '../../../src/model/adam.js';
import { EagerReplica } from '../../../src/model/eager-replica.js';
import type { StepOptions } from '../../../src/model/regularization.js';
import type { Replica } from '../../../src/model/replica.js';

/** Makes the kind of replica that is tested, for shards and samples of `batch` images. */
export type ReplicaFactory = (model: StepOptions, optimizer: AdamOptions, batch: number) => Replica;

export const makeEagerReplica: ReplicaFactory = (model, optimizer) => new EagerReplica(model, optimizer);
