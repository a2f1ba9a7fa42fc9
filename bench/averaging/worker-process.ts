import { modelLayout } from '../../src/model/layout.js';
import { phaseLayout, type Phase } from '../../src/model/phase.js';
import type { ReplicaHandle } from '../../src/model/replica-handle.js';
import type { ReplicaCalls } from '../../src/model/replica-protocol.js';
import type { TrainingOptions } from '../../src/model/training-options.js';
import { Sampler, type Faces } from '../../src/data/index.js';
import { AddressSecret } from '../../src/wire/address-secret.js';
import type { Bodies } from '../../src/wire/message.js';
import { SocketFolder } from '../../src/wire/socket-folder.js';
import type { RunContext, RunLoader } from '../../src/worker/run-context.js';
import { WorkerSession } from '../../src/worker/session.js';
import { segmentsFor } from './segments-for.js';
import { CpuMeter, type WorkerOrder, type WorkerWord } from './orders.js';
import { meanOf, STUB_DATASET } from './training.js';

/** A worker with the project's session, whose vectors are ready before they are asked for. */

const JOIN_TIME = 60_000; // milliseconds

process.once('message', (order) => void work(order as WorkerOrder));
process.once('disconnect', () => process.exit());

async function work({ number, coordinator, transport, security }: WorkerOrder): Promise<void> {
  // Without a folder for ipc sockets, workers of one machine use tcp.
  const sockets = transport === 'tcp' || transport === 'curve' ? undefined : SocketFolder.make();
  const milliseconds: number[] = [];
  const meter = new CpuMeter();
  const onRound = (spent: number): void => {
    milliseconds.push(spent);
    meter.tick();
  };
  const loader = {
    load: ({ options }: Bodies['welcome']) => Promise.resolve(stubRun(options, number, onRound)),
  } as unknown as RunLoader;
  await new WorkerSession({
    ...{ address: coordinator, ipv6: false, loader, security, peerPort: 0, sockets: sockets?.path },
    secret: () => AddressSecret.read(coordinator),
    openSegments: segmentsFor(transport),
  }).run(JOIN_TIME);
  sockets?.remove();
  const word: WorkerWord = { milliseconds, cpuMilliseconds: meter.milliseconds };
  process.send?.(word, () => {
    process.disconnect();
  });
}

function stubRun(optionsJson: string, number: number, onRound: (milliseconds: number) => void): RunContext {
  const options = JSON.parse(optionsJson) as TrainingOptions;
  const { batchSize: batch, shards, seed } = options;
  const { count } = STUB_DATASET;
  return {
    ...{
      options,
      optionsJson,
      dataset: STUB_DATASET,
      engine: 'none',
      cache: '',
      log: () => undefined,
      local: undefined,
      update: undefined,
    },
    replica: new StubReplica(options, number, onRound) as unknown as ReplicaHandle,
    faces: { ...STUB_DATASET, read: () => undefined } as unknown as Faces,
    sampler: new Sampler({ count, batch, shards, seed }),
  };
}

class StubReplica {
  readonly #vectors: Record<Phase, Float32Array>;
  #begun = 0;

  constructor(
    private readonly options: TrainingOptions,
    number: number,
    private readonly onRound: (milliseconds: number) => void,
  ) {
    const vector = (phase: Phase): Float32Array =>
      new Float32Array(phaseLayout(phase, modelLayout(options)).length).fill(number + 1);
    this.#vectors = { discriminator: vector('discriminator'), generator: vector('generator') };
  }

  call(name: string, request: unknown): Promise<unknown> {
    if (name === 'compute') {
      const { phase } = request as ReplicaCalls['compute']['request'];
      this.#begun = performance.now();
      return Promise.resolve({ seconds: 0, vector: this.#vectors[phase] });
    }
    if (name === 'computeRealBatch') return Promise.resolve({ seconds: 0 });
    if (name === 'apply') this.#apply(request as ReplicaCalls['apply']['request']);
    return Promise.resolve(null);
  }

  #apply({ phase, averaged }: ReplicaCalls['apply']['request']): void {
    if (phase === 'generator') this.onRound(performance.now() - this.#begun);
    const mean = meanOf(this.options.shards);
    for (const at of [0, averaged.length >> 1, averaged.length - 1])
      if (averaged[at] !== mean) throw new Error(`${averaged[at]} at ${at}, where the mean is ${mean}`);
  }
}
