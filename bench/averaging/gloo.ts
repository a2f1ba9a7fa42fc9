import { runPeer } from '../step/peers.js';
import type { Measured } from './group.js';
import { WARM_UP } from './orders.js';

/** The same rounds by PyTorch's gloo. */
export async function runGloo(
  python: string,
  processes: number,
  floats: number,
  rounds: number,
): Promise<Measured> {
  const args = { processes, floats, rounds, 'warm-up': WARM_UP };
  const { result } = await runPeer(
    python,
    'gloo_rounds',
    Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]),
  );
  return result as Measured;
}
