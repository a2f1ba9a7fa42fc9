import { dirname, join, resolve } from 'node:path';
import { withLock, type Lock } from '#lock';
import { codeOf } from '../../common/errors.js';
import { readBindingSource } from './binding-source.js';
import { enginesFolder, engineName, readEngine, type NativeEngine } from './engine-folder.js';
import { forgetFailure, isRecent, readFailure, writeFailure } from './failure-record.js';
import { ProvisionFailure, RETRY, toFailure } from './failure.js';
import { thisMachine } from './machine.js';
import { makeEngine, type Workshop } from './make-engine.js';
import { targetsOf, type Flavour, type Machine, type Target } from './target.js';
import { removeLeftovers } from './work-folder.js';

export type { NativeEngine } from './engine-folder.js';
export { FLAVOURS, type Flavour } from './target.js';

export interface Unavailable {
  readonly kind: 'unavailable';
  /** Why, to go after "because". */
  readonly reason: string;
  /** Remedy that would make it native. */
  readonly remedy: string;
}

export type Provisioned = NativeEngine | Unavailable;

/** Names the folder of the native engine, where that is not in the cache: an image brings its own, read-only. */
export const ENGINE_VARIABLE = 'DCGAN_ENGINE';

export interface ProvisionOptions {
  readonly cache: string;
  readonly log: (line: string) => void;
  /** Try again what failed a short while ago, and say how it went. */
  readonly force?: boolean;
  /** This one, whatever the machine has: an image is made on a machine without a GPU, too. */
  readonly flavour?: Flavour | undefined;
  readonly environment?: NodeJS.ProcessEnv;
}

/** The native engine of this machine if it is in the cache. Looks at a few files only. */
export async function findEngine(
  cache: string,
  environment = process.env,
  flavour?: Flavour,
): Promise<Provisioned> {
  const places = await placesOf(cache, environment, flavour);
  for (const { place } of places) {
    const engine = await readEngine(place);
    if (engine) return engine;
  }
  const best = places.at(0);
  if (!best) return unavailable(UNSUPPORTED);
  const record = await readFailure(best.place);
  return unavailable(record?.failure ?? new ProvisionFailure('it is not installed', RETRY));
}

/**
 * Installs the native engine if it is missing. A failure (no pip, compiler or network, a full disk) is returned, not
 * thrown, since training continues with wasm.
 */
export async function provisionEngine(options: ProvisionOptions): Promise<Provisioned> {
  const { cache, log, force = false, flavour, environment = process.env } = options;
  const places = await placesOf(cache, environment, flavour);
  const best = places.at(0);
  if (!best) {
    if (force) log(sayWasm(UNSUPPORTED));
    return unavailable(UNSUPPORTED);
  }
  const engine = await readEngine(best.place);
  if (engine) return engine;
  const engines = dirname(best.place);
  const install = async (lock: Lock): Promise<Provisioned> => {
    await removeLeftovers(engines);
    const source = await readBindingSource();
    await makeBest(places, { cache, engines, source, environment, lock, log }, force);
    return findEngine(cache, environment, flavour);
  };
  const sayWaiting = (): void => {
    log('engine: another set-up is installing it; waiting for it');
  };
  try {
    return await withLock(engines, install, sayWaiting);
  } catch (error) {
    // The folder of engines cannot be made, locked or read.
    if (codeOf(error) === undefined) throw error;
    const failure = toFailure(error, cache);
    log(sayWasm(failure));
    return unavailable(failure);
  }
}

interface Place {
  readonly target: Target;
  readonly place: string;
}

/** The engines this machine can run, best first, and where each is once it is made. */
async function placesOf(
  cache: string,
  environment: NodeJS.ProcessEnv,
  flavour?: Flavour,
): Promise<readonly Place[]> {
  const targets = targetsFor(thisMachine(environment), flavour);
  if (targets.length === 0) return [];
  const own = environment[ENGINE_VARIABLE];
  if (own) return targets.map((target) => ({ target, place: resolve(own) }));
  const { key } = await readBindingSource();
  return targets.map((target) => ({ target, place: join(enginesFolder(cache), engineName(target, key)) }));
}

function targetsFor(machine: Machine, flavour: Flavour | undefined): readonly Target[] {
  if (flavour === undefined) return targetsOf(machine);
  return targetsOf({ ...machine, gpuDriver: flavour === 'gpu' }).filter(
    (target) => target.flavour === flavour,
  );
}

/** Makes the best engine that can be made and is not there yet. */
async function makeBest(places: readonly Place[], workshop: Workshop, force: boolean): Promise<void> {
  for (const { target, place } of places) {
    if (await readEngine(place)) return;
    const earlier = await readFailure(place);
    if (!force && earlier && isRecent(earlier, Date.now())) continue;
    try {
      await makeEngine(target, place, workshop);
      await forgetFailure(place);
      workshop.log(`engine: native is ready (${target.flavour})`);
      return;
    } catch (error) {
      const failure = toFailure(error, workshop.cache);
      // A start says nothing of a tool that was missing last time too: the engine's own line does.
      if (force || earlier?.failure.message !== failure.message) workshop.log(sayFailure(target, failure));
      await writeFailure(place, failure);
    }
  }
}

const UNSUPPORTED = new ProvisionFailure(
  `TensorFlow has no library for ${process.platform} ${process.arch} with this C library`,
  'use Linux with the GNU C library on x86_64 or arm64 for the native engine',
);

function sayFailure({ flavour }: Target, failure: ProvisionFailure): string {
  return flavour === 'gpu' ? `engine: no GPU, because ${failure.message}` : sayWasm(failure);
}

function sayWasm({ message }: ProvisionFailure): string {
  return `engine: wasm, because ${message}`;
}

function unavailable({ reason, remedy }: ProvisionFailure): Unavailable {
  return { kind: 'unavailable', reason, remedy };
}
