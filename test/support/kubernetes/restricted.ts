import type { Container, PodSpec } from './objects.js';

/** Kinds of volumes that the standard allows. */
const VOLUMES = [
  ...[
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ],
];

/** What the pod security standard `restricted` has against a pod, from its text. */
export function restrictedViolations(pod: PodSpec): string[] {
  const found: string[] = [];
  const expect = (holds: boolean, what: string): void => {
    if (!holds) found.push(what);
  };
  expect(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, 'host namespaces');
  for (const { name, ...source } of pod.volumes)
    for (const kind of Object.keys(source)) expect(VOLUMES.includes(kind), `volume ${name} is ${kind}`);
  for (const container of [...pod.containers, ...(pod.initContainers ?? [])])
    for (const what of containerViolations(container, pod)) found.push(`${container.name}: ${what}`);
  return found;
}

function* containerViolations({ securityContext: own, ports }: Container, pod: PodSpec): Iterable<string> {
  const both = { ...pod.securityContext, ...own };
  if (both.privileged) yield 'privileged';
  if (own?.allowPrivilegeEscalation !== false) yield 'privilege escalation';
  if (both.runAsNonRoot !== true || both.runAsUser === 0) yield 'root';
  if (both.seccompProfile?.type !== 'RuntimeDefault') yield 'seccomp profile';
  if (!own?.capabilities?.drop?.includes('ALL')) yield 'capabilities are kept';
  if (own?.capabilities?.add?.some((name) => name !== 'NET_BIND_SERVICE')) yield 'capabilities are added';
  if (ports?.some(({ hostPort }) => hostPort !== undefined)) yield 'port of the host';
}
