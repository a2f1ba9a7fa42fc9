import { DAY, HOUR, ProvisionFailure, RETRY } from './failure.js';
import type { Target } from './target.js';
import { findTool, runTool, type Command, type ToolOptions } from './tool.js';

/** pip picks a wheel for the machine, not for the Python it runs on: of the wheel we use only the C libraries. */
function wheelChoice(target: Target): readonly string[] {
  return [
    '--only-binary=:all:',
    ...target.platforms.flatMap((platform) => ['--platform', platform]),
    ...['--python-version', '3.12', '--implementation', 'cp'],
    // A firewall that swallows packets must not hold up a start for minutes.
    ...['--retries', '1', '--timeout', '15'],
    ...['--disable-pip-version-check', '--no-input'],
  ];
}

/** CPU: the one wheel, as a file. */
export function downloadArguments(target: Target, folder: string): readonly string[] {
  return ['download', '--no-deps', ...wheelChoice(target), '--dest', folder, target.requirement];
}

/** GPU: unpacked together with NVIDIA's libraries, beside each other, where they find each other. */
export function installArguments(target: Target, folder: string): readonly string[] {
  return ['install', '--no-compile', ...wheelChoice(target), '--target', folder, target.requirement];
}

export async function findPip(options: ToolOptions): Promise<Command> {
  const candidates = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']] as const;
  const pip = await findTool(candidates, ['--version'], options);
  if (pip) return pip;
  throw new ProvisionFailure(
    'pip is missing',
    `install pip (Debian: apt-get install python3-pip) and ${RETRY}`,
  );
}

export async function runPip(
  pip: Command,
  pipArguments: readonly string[],
  options: ToolOptions,
): Promise<void> {
  const { code, signal, output, errors } = await runTool([...pip, ...pipArguments], options);
  if (code === 0) return;
  const text = errors + output;
  throw new ProvisionFailure(
    `pip could not get TensorFlow (${signal ?? explain(text)})`,
    `see that pip can install packages here and ${RETRY}`,
    /No matching distribution/.test(text) && !/Retrying/.test(text) ? DAY : HOUR,
  );
}

/** pip's own last word, or the cause it gave while it retried: it ends an offline run with "no such version". */
export function explain(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const retry = lines.findLast((line) => line.includes('Retrying'));
  const cause = /connection broken by (.*?)(?:: \/\S*)?$/.exec(retry ?? '')?.[1];
  if (cause !== undefined) return `no connection: ${plain(cause)}`;
  const last = lines.findLast((line) => line.startsWith('ERROR:'))?.replace('ERROR: ', '');
  return last ?? lines.findLast((line) => line !== '') ?? 'no message';
}

/** A Python exception without class names, objects and the quotes around it. */
function plain(exception: string): string {
  return exception
    .replaceAll(/<[^>]*>[:,] /g, '')
    .replaceAll(/\w+Error\((\d+, )?/g, '')
    .replaceAll(/^["'(]+|["')]+$/g, '');
}
