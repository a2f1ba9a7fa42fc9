import { EngineUnavailable, type EngineChoice, type EngineName } from './engine.js';
import { requireTemporaryFolder } from '../common/files/temporary-folder.js';
import { findEngine } from './provision/index.js';

export interface ChosenEngine {
  readonly name: EngineName;
  /** For people: why it is not the native one, where `auto` could not take that. */
  readonly reason: string | undefined;
}

/** Settles `auto`, and checks what an engine needs. Looks at files only: nothing is loaded or installed. */
export async function chooseEngine(choice: EngineChoice, cache: string): Promise<ChosenEngine> {
  // Recorded graphs are handed over in files there, and charts are drawn with fonts from there.
  requireTemporaryFolder();
  if (choice === 'wasm') return { name: 'wasm', reason: undefined };
  const found = await findEngine(cache);
  if (found.kind === 'native') {
    return { name: 'native', reason: undefined };
  }
  if (choice === 'native') throw new EngineUnavailable(found.reason, found.remedy);
  return { name: 'wasm', reason: `${found.reason}; ${found.remedy}` };
}
