import { createHash } from 'node:crypto';
import { HEADERS, LIBRARIES } from '../../src/engine/provision/compiler.js';
import { storedZip } from './stored-zip.js';

/** A wheel with the files that an engine is made of, a line of text each, and a RECORD that fits them. */
export function smallWheel(): Buffer {
  const names = [...LIBRARIES, ...HEADERS.map((header) => `include/${header}`)].map(
    (name) => `tensorflow/${name}`,
  );
  const files = Object.fromEntries(names.map((name) => [name, `content of ${name}\n`]));
  const record = Object.entries(files).map(([name, content]) => {
    const checksum = createHash('sha256').update(content).digest('base64url');
    return `${name},sha256=${checksum},${content.length}\n`;
  });
  return storedZip({
    ...files,
    'tensorflow/other.py': '',
    'tensorflow-2.21.0.dist-info/RECORD': record.join(''),
  });
}
