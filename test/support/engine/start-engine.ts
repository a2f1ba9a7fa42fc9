import { cacheFolder } from '../../../src/common/files/cache-folder.js';
import type { EngineName } from '../../../src/engine/engine.js';
import { engineEnvironment } from '../../../src/engine/environment.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { findEngine } from '../../../src/engine/provision/index.js';

const native = await findEngine(cacheFolder());

/** Why the native engine's tests are skipped; undefined where it is installed. */
export function nativeIsMissing(): string | undefined {
  return native.kind === 'native' ? undefined : 'the native engine is not installed: npm run setup says why';
}

/** For numbers that are the same on each run. TensorFlow reads the environment when it is loaded, so call it before. */
export function useOneThread(): void {
  Object.assign(process.env, engineEnvironment({ threads: 1 }));
}

/** Loads the one engine of this process. Returns why its tests are to be skipped, if they are. */
export async function startEngine(name: EngineName): Promise<string | undefined> {
  const missing = name === 'native' ? nativeIsMissing() : undefined;
  if (missing) return missing;
  useOneThread();
  await loadEngine(name);
  return undefined;
}
