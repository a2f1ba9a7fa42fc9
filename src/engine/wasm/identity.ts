import { override, type Inputs } from './register.js';
import type { Toolbox } from './toolbox.js';

/** Identity without a copy: the tape keeps a clone of every feature map, and the backend's own clones are copies. */
export function registerIdentity({ heap }: Toolbox): void {
  override(
    'Identity',
    ({ x }: Inputs<'x'>) => x.dtype !== 'string',
    ({ x }: Inputs<'x'>) => heap.share(x),
  );
}
