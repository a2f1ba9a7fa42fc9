import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(
  new URL('../../../test/cluster/control-plane/control-plane.sh', import.meta.url),
);

/** Where its programs are, and its state while it is up. */
const folder =
  process.env['KUBE_DIR'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dcgan-trainer-cluster');

/** The environment of kubectl. */
export const kubeEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  KUBE_DIR: folder,
  KUBECONFIG: join(folder, 'state/admin.kubeconfig'),
  PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
};

/** The name that control-plane.sh gives the real node. */
export const REAL_NODE = 'real-0';

/** Starts or ends the cluster; what it does is printed. */
export async function controlPlane(
  what: 'build' | 'up' | 'node' | 'image' | 'down',
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const env = { ...kubeEnvironment, ...environment };
  const child = spawn(script, [what, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`control-plane.sh ${what} failed`);
}
