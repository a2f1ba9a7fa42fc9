import { fileURLToPath } from 'node:url';
import { lastLine, runProgram, type Watched } from '../support/program.js';

export type Peer = 'pytorch' | 'keras';

/** The Python that has a peer installed, where one was given. */
export type Interpreters = Readonly<Partial<Record<Peer, string>>>;

export const INSTALL: Readonly<Record<Peer, string>> = {
  pytorch: 'give --pytorch PYTHON, one with torch (pip install torch)',
  keras: 'give --keras PYTHON, one with TensorFlow (pip install tensorflow-cpu)',
};

/** Runs one of bench/peers, and returns what it printed as JSON. */
export async function runPeer(
  python: string,
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Watched & { readonly result: unknown }> {
  const path = fileURLToPath(new URL(`../../../bench/peers/${script}.py`, import.meta.url));
  const watched = await runProgram(python, [path, ...args], { env });
  return { ...watched, result: JSON.parse(lastLine(watched.stdout) ?? '') };
}
