import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../common/errors.js';
import { tryToRemove } from '../common/leftovers.js';
import { contentKey } from './content-key.js';
import { DecodePool } from './decode-pool.js';
import { listImageFolder, type ListedFile } from './image-folder.js';
import {
  createFacesFolder,
  packPath,
  recall,
  remember,
  sweep,
  type BrokenFile,
  type Packed,
} from './pack-cache.js';
import { isPackOf } from './pack-check.js';
import { PackWriter } from './pack-writer.js';
import { quickKey, statKey } from './quick-key.js';

export interface PackRequest {
  readonly root: string;
  /** Also links that lead out of the root. */
  readonly followLinks: boolean;
  /** Pixels a side. */
  readonly size: number;
  readonly cache: string;
  /** 0 .. 1 */
  readonly maxBrokenShare: number;
  /** Threads. */
  readonly decoders: number;
  readonly temporary: string;
}

export interface PackProgress {
  progress(done: number, total: number): void;
  broken(file: BrokenFile): void;
  /** So many links lead out of the root and were not followed. */
  linksLeftOut(count: number): void;
  /** The pack at this path does not hold the pixels that it was written with. */
  damaged(path: string): void;
}

/** Decodes an image folder into the cache, unless an earlier run has done it; `decoded` counts the faces decoded now. */
export async function packImages(
  request: PackRequest,
  report: PackProgress,
): Promise<Packed & { readonly decoded: number }> {
  const { root, followLinks, size, cache } = request;
  const { files, leftOut } = listImageFolder(root, followLinks);
  if (leftOut > 0) report.linksLeftOut(leftOut);
  const quick = quickKey(root, files, size, Date.now());
  const noted = quick === undefined ? undefined : await recallWhole(cache, quick, report);
  if (noted) return reuse(request, noted, report);
  const content = await contentKey(root, files, size, (done, total) => {
    report.progress(done, total);
  });
  const known = await recallWhole(cache, content, report);
  if (known) {
    // A cache that cannot be written to serves all the same.
    if (quick !== undefined) await remember(cache, quick, known).catch(() => undefined);
    return reuse(request, known, report);
  }
  const packed = await decodeAll(request, files, report);
  // Files that changed in the meantime were decoded with another content than the key stands for.
  if (statKey(listImageFolder(root, followLinks).files, size) === statKey(files, size)) {
    await remember(cache, content, packed);
    if (quick !== undefined) await remember(cache, quick, packed);
  }
  sweep(cache);
  return { ...packed, decoded: packed.count };
}

function reuse(
  request: PackRequest,
  known: Packed,
  report: PackProgress,
): Packed & { readonly decoded: number } {
  for (const file of known.broken) report.broken(file);
  refuseBroken(request, known.broken, known.count + known.broken.length);
  sweep(request.cache);
  return { ...known, decoded: 0 };
}

/** Returns the result of an earlier run, if the pack that it leads to is there and undamaged. Removes a damaged one. */
async function recallWhole(cache: string, key: string, report: PackProgress): Promise<Packed | undefined> {
  const packed = recall(cache, key);
  if (!packed) return undefined;
  const path = packPath(cache, packed.fingerprint);
  if (!existsSync(path)) return undefined;
  if (await isPackOf(path, packed.fingerprint)) return packed;
  report.damaged(path);
  tryToRemove(path);
  return undefined;
}

async function decodeAll(
  request: PackRequest,
  files: readonly ListedFile[],
  report: PackProgress,
): Promise<Packed> {
  const { root, size, cache, temporary } = request;
  const broken: BrokenFile[] = [];
  createFacesFolder(cache);
  const writer = await PackWriter.create(({ fingerprint }) => packPath(cache, fingerprint), {
    size,
    temporary,
  });
  const pool = new DecodePool(Math.min(request.decoders, files.length), size);
  try {
    let done = 0;
    let faces = 0;
    for await (const decoded of pool.decode(files.map((file) => join(root, file.path)))) {
      const { path } = files[done++];
      if (decoded.kind === 'face') {
        await writer.write(decoded.pixels);
        faces++;
      } else if (decoded.kind === 'broken') {
        broken.push({ path, reason: decoded.reason });
        report.broken({ path, reason: decoded.reason });
        refuseBroken(request, broken, files.length); // At best all the others are sound: no need to see them.
      }
      report.progress(done, files.length);
    }
    refuseBroken(request, broken, faces + broken.length);
    if (faces === 0) {
      throw new UserError(
        `none of the ${files.length} files in ${root} is a jpeg, png, webp, bmp or gif image`,
      );
    }
    const { fingerprint, count } = await writer.finish();
    return { fingerprint, count, broken };
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    await pool.close();
  }
}

/** Ends the run before it starts, where more images are broken than it may lose. */
function refuseBroken(
  { root, maxBrokenShare }: PackRequest,
  broken: readonly BrokenFile[],
  images: number,
): void {
  if (broken.length <= maxBrokenShare * images) return;
  const [first] = broken;
  throw new UserError(
    `at least ${broken.length} of ${images} images in ${root} are broken, more than the share of ${maxBrokenShare} ` +
      `that --max-broken allows (${first.path}: ${first.reason}): repair or remove them, or allow more`,
  );
}
