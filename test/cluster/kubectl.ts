import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { kubeEnvironment } from './cluster.js';

/** What never ends in this time has failed, in milliseconds. */
const LIMIT = 180_000;

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl in a namespace. */
export class Kubectl {
  constructor(readonly namespace: string) {}

  /** What it answers, whatever that is. */
  async try(args: readonly string[], input = ''): Promise<Answer> {
    const child = spawn('kubectl', ['-n', this.namespace, ...args], { env: kubeEnvironment, timeout: LIMIT });
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  }

  /** What it prints; throws where it fails. */
  async run(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run([...args, '-o', 'json'])) as T;
  }

  apply(objects: string | object): Promise<string> {
    return this.run(['apply', '-f', '-'], typeof objects === 'string' ? objects : JSON.stringify(objects));
  }

  /** A port of this machine that leads to one of a pod or Service until it is closed. */
  async forward(to: string, port: number): Promise<{ url: string; close: () => void }> {
    const args = ['-n', this.namespace, 'port-forward', '--address=127.0.0.1', to, `:${port}`];
    const child = spawn('kubectl', args, { env: kubeEnvironment, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /^Forwarding from (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address !== undefined) return { url: `http://${address}`, close: () => child.kill() };
    }
    throw new Error(`kubectl forwards nothing to ${to}`);
  }
}
