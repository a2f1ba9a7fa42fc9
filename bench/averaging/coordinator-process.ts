import { Fleet } from '../../src/coordinator/fleet/fleet.js';
import { RunMetrics } from '../../src/monitoring/metrics/run-metrics.js';
import { Sampler, type Faces } from '../../src/data/index.js';
import { PHASES } from '../../src/model/phase.js';
import { segmentsFor } from './segments-for.js';
import { CpuMeter, type CoordinatorOrder, type CoordinatorWord } from './orders.js';
import { meanOf, STUB_DATASET, stubTraining } from './training.js';

/** A coordinator with the project's fleet, which has its workers average again and again. */

process.once('message', (order) => void coordinate(order as CoordinatorOrder));
process.once('disconnect', () => process.exit());

async function coordinate(order: CoordinatorOrder): Promise<void> {
  const { workers, way, wire, transport, listen, security, rounds } = order;
  const training = stubTraining(workers, way, wire);
  const { batchSize: batch, shards, seed } = training;
  const fleet = await Fleet.start({
    ...{ training, workers, minWorkers: workers, maxWorkers: workers, fallback: 'stop', topology: way },
    ...{ liveness: 60_000, id: 'bench-averaging', external: true, isOver: () => true, listen },
    openSegments: segmentsFor(transport),
    keys: security && {
      security: { secretKey: security.secretKey, admitted: new Set(security.admitted) },
      localArguments: [],
    },
    ...{ engine: 'native', placement: [], faces: STUB_DATASET as unknown as Faces },
    sampler: new Sampler({ count: STUB_DATASET.count, batch, shards, seed }),
    ...{ firstStep: 1, from: undefined, metrics: new RunMetrics({ batchSize: batch }) },
    log: (line) => {
      const address = /--coordinator (\S+)/.exec(line)?.[1];
      if (address !== undefined) say({ address });
      else if (!/^gradients go| joins$/.test(line)) process.stderr.write(`${line}\n`);
    },
    signal: new AbortController().signal,
  });
  const meter = new CpuMeter();
  for (let step = 1; step <= rounds; step++) {
    for (const phase of PHASES) {
      const { measures } = await fleet.compute(phase, step, false);
      if (measures.at(-1) !== meanOf(workers)) throw new Error(`a mean of ${measures.at(-1) ?? NaN}`);
      await fleet.apply(phase, step);
    }
    meter.tick();
  }
  const cpuMilliseconds = meter.milliseconds;
  // Who computes again has applied the last mean.
  await fleet.compute('discriminator', rounds + 1, false);
  await fleet.close();
  say({ cpuMilliseconds });
}

function say(word: CoordinatorWord): void {
  process.send?.(word);
}
