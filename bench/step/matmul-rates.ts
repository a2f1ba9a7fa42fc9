import { messageOf } from '../../src/common/errors.js';
import type { Precision } from '../../src/engine/engine.js';
import { runPeer, type Interpreters } from './peers.js';
import type { Device } from './rows.js';
import { environmentOf } from './run-row.js';

/** Floating-point operations a second. */
export type Rates = Readonly<Record<Precision, number>>;

const LIBRARIES = { pytorch: 'torch', keras: 'tensorflow' } as const;

/** The fastest large matrix product of any library that is at hand; undefined if there is none. */
export async function matmulRates(
  interpreters: Interpreters,
  device: Device,
  threads: number,
): Promise<Rates | undefined> {
  const measured: Rates[] = [];
  for (const peer of ['pytorch', 'keras'] as const) {
    const python = interpreters[peer];
    if (python === undefined) continue;
    const library = LIBRARIES[peer];
    const args = ['--library', library, '--device', device === 'gpu' ? 'cuda' : 'cpu'];
    try {
      const all = [...args, '--threads', String(threads)];
      const { result } = await runPeer(python, 'matmul_rate', all, environmentOf(device));
      measured.push(result as Rates);
    } catch (error) {
      console.log(`left out: matrix products of ${library} on the ${device}: ${messageOf(error)}`);
    }
  }
  if (measured.length === 0) return undefined;
  return {
    fp32: Math.max(...measured.map(({ fp32 }) => fp32)),
    bf16: Math.max(...measured.map(({ bf16 }) => bf16)),
  };
}
