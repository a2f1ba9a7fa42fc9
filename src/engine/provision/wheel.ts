import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/** A wheel that is not what its own list of contents says. */
export class BrokenWheel extends Error {
  override readonly name = 'BrokenWheel';
}

/**
 * Unpacks the named files of a wheel (a zip file) below a folder, and compares each with the checksum that the
 * wheel's RECORD gives for it. Streamed: the largest file has 790 MB.
 */
export async function unpackWheel(wheel: string, names: readonly string[], folder: string): Promise<void> {
  const missing = new Set(names);
  const checksums = new Map<string, string>();
  let record = '';
  const zip = await openPromise(wheel);
  try {
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      if (name.endsWith('.dist-info/RECORD')) record = await text(await zip.openReadStreamPromise(entry));
      if (!missing.delete(name)) continue;
      checksums.set(name, await writeFile(await zip.openReadStreamPromise(entry), join(folder, name)));
    }
  } finally {
    zip.close();
  }
  if (missing.size > 0) throw new BrokenWheel(`the wheel lacks ${[...missing].join(', ')}`);
  const recorded = parseRecord(record);
  for (const [name, checksum] of checksums) {
    if (recorded.get(name) !== checksum) throw new BrokenWheel(`the wheel's ${name} is damaged`);
  }
}

/** Writes through to the disk, since the rename that follows says the file is whole. Returns its SHA-256. */
async function writeFile(content: Readable, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  content.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(content, createWriteStream(path, { flush: true }));
  return hash.digest('base64url');
}

/** path,sha256=BASE64URL,size: the lines of RECORD as the wheel format defines them. */
export function parseRecord(record: string): ReadonlyMap<string, string> {
  const lines = record.matchAll(/^"?(.+?)"?,sha256=([\w-]+),\d+\r?$/gm);
  return new Map([...lines].map(([, path = '', checksum = '']) => [path, checksum]));
}
