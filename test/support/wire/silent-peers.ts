import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';
import type { LinkSecurity } from '../../../src/wire/security.js';

const PROGRAM = fileURLToPath(new URL('silent-process.js', import.meta.url));

/** How far its connections get before they fall silent; ZeroMQ: as far as it goes by itself, with heartbeats. */
export type Silence = 'nothing' | 'half a greeting' | 'handshake' | 'ZeroMQ';

/** Connections of another process that say nothing, until the test is over. */
export class SilentPeers {
  #admitted = 0;
  #ended = 0;

  private constructor(output: Readable) {
    createInterface({ input: output }).on('line', (line) => {
      [this.#admitted, this.#ended] = line.split(' ').map(Number);
    });
  }

  static open(
    t: Pick<TestContext, 'after'>,
    address: string,
    kind: Silence,
    count: number,
    keys?: LinkSecurity,
  ): SilentPeers {
    const args = [PROGRAM, address, kind, String(count), ...(keys ? [JSON.stringify(keys)] : [])];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => {
      child.kill('SIGKILL');
    });
    return new SilentPeers(child.stdout);
  }

  /** Connections that the other end accepted so far. */
  get admitted(): number {
    return this.#admitted;
  }

  /** Connections that are no more. */
  get ended(): number {
    return this.#ended;
  }
}
