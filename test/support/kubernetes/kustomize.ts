import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './objects.js';

const k8s = fileURLToPath(new URL('../../../../k8s', import.meta.url));

/** kubectl brings kustomize along; both read the same files in the same way. */
const COMMANDS = [
  { probe: ['kustomize', 'version'], build: ['kustomize', 'build'] },
  { probe: ['kubectl', 'version', '--client'], build: ['kubectl', 'kustomize'] },
];

/** How to build manifests on this machine, if it can. */
export function findKustomize(): readonly string[] | undefined {
  return COMMANDS.find(({ probe: [command, ...args] }) => spawnSync(command, args).status === 0)?.build;
}

/** All objects of a folder in k8s/, as `kubectl apply -k` would send them. */
export async function buildManifests(
  [command, ...args]: readonly string[],
  folder: string,
): Promise<KubernetesObject[]> {
  const { stdout } = await promisify(execFile)(command, [...args, `${k8s}/${folder}`], { timeout: 60_000 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
}
