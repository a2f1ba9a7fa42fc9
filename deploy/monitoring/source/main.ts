// npm run monitoring: writes what is made from this folder.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { monitoringFiles } from './files.js';

/** deploy/monitoring of the clone, seen from dist/. */
const folder = fileURLToPath(new URL('../../../../deploy/monitoring/', import.meta.url));

for (const [name, text] of monitoringFiles()) {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
