import { printable } from '#printable';
import { cacheFolder } from '../common/files/cache-folder.js';
import { print } from '../common/console.js';
import { UserError } from '../common/errors.js';
import { say } from '../common/log.js';
import { chooseEngine } from '../engine/choose-engine.js';
import type { EngineChoice } from '../engine/engine.js';
import { engineEnvironment } from '../engine/environment.js';
import { visibleGpus } from '../engine/gpus.js';
import { provisionEngine, type Flavour } from '../engine/provision/index.js';
import { ReplicaHandle } from '../model/replica-handle.js';

/** `coordinator engine install`: tries again what set-up could not do. */
export async function installEngine({ flavour }: { flavour?: Flavour }): Promise<void> {
  const found = await provisionEngine({ cache: cacheFolder(), log: say, force: true, flavour });
  if (found.kind === 'unavailable')
    throw new UserError(`no native engine, because ${found.reason}; ${found.remedy}`);
  await print(
    `native: TensorFlow ${found.tensorflowVersion} (${found.flavour}) in ${printable(found.folder)}\n`,
  );
}

/** `coordinator engine status`: loads the engine and prints its status. */
export async function printEngineStatus(choice: EngineChoice): Promise<void> {
  const { name, reason } = await chooseEngine(choice, cacheFolder());
  Object.assign(process.env, engineEnvironment({ threads: 1 }));
  const replica = new ReplicaHandle();
  try {
    const engine = await replica.call('load', { engine: name, ...SMALLEST });
    const gpus = visibleGpus();
    const lines = [
      `engine        ${engine.name}${reason === undefined ? '' : `, because ${reason}`}`,
      `${(engine.name === 'native' ? 'TensorFlow' : 'TensorFlow.js').padEnd(14)}${engine.version}`,
      `device        ${engine.device}`,
      `GPUs          ${gpus.length === 0 ? 'none visible' : gpus.join(', ')}`,
      `precision     ${engine.precisions.join(', ')}`,
    ];
    await print(`${lines.join('\n')}\n`);
  } finally {
    await replica.close();
  }
}

/** A replica is loaded with an engine; this one is never given a state. */
const SMALLEST = {
  model: {
    architecture: 'tutorial',
    imageSize: 32,
    latentSize: 1,
    generatorFeatures: 1,
    discriminatorFeatures: 1,
  },
  optimizer: { learningRate: 2e-4, beta1: 0.5 },
} as const;
