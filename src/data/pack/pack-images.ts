import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../common/errors.js';
import { nameBroken, reportBroken } from '../folder/broken-images.js';
import { contentKey } from './content-key.js';
import { DecodePool } from '../decode/decode-pool.js';
import { listImageFolder, type FolderLayout, type ListedFile, type Listing } from '../folder/image-folder.js';
import { describeLeftOut, LeftOut, type LeftOutKind } from '../folder/left-out.js';
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

/** Options that a command may have, which messages can tell the user to change. */
export type OfferedOption = '--follow-links' | '--max-broken';

export interface PackRequest {
  readonly root: string;
  readonly layout: FolderLayout;
  /** Also links that lead out of the root. */
  readonly followLinks: boolean;
  /** Pixels a side. */
  readonly size: number;
  readonly cache: string;
  /** 0 .. 1 */
  readonly maxBrokenShare: number;
  readonly offered: readonly OfferedOption[];
  /** Threads. */
  readonly decoders: number;
  readonly temporary: string;
}

export interface PackProgress {
  /** Called with the count of files found so far. */
  listing(found: number): void;
  decoding(done: number, total: number): void;
  /** A line on files that are not used, or on a damaged pack. */
  warning(line: string): void;
}

/** Decodes an image folder into the cache, unless an earlier run has done it; `decoded` counts the faces decoded now. */
export async function packImages(
  request: PackRequest,
  report: PackProgress,
): Promise<Packed & { readonly decoded: number }> {
  const { root, size, cache } = request;
  const { files, leftOut } = list(request, (found) => {
    report.listing(found);
  });
  const use = async (packed: Packed, decoded: number): Promise<Packed & { readonly decoded: number }> => {
    sweep(cache);
    await reportUnused(request, leftOut, packed, report);
    return { ...packed, decoded };
  };
  const quick = quickKey(root, files, size, Date.now());
  const damaged = new Set<string>();
  const recallWhole = async (key: string): Promise<Packed | undefined> => {
    const packed = recall(cache, key);
    return packed && (await isThere(cache, packed, damaged, report)) ? packed : undefined;
  };
  const noted = quick === undefined ? undefined : await recallWhole(quick);
  if (noted) return use(noted, 0);
  const content = await contentKey(root, files, size, (done, total) => {
    report.decoding(done, total);
  });
  const known = await recallWhole(content);
  if (known) {
    // A cache that cannot be written to serves all the same.
    if (quick !== undefined) await remember(cache, quick, known).catch(() => undefined);
    return use(known, 0);
  }
  const packed = await decodeAll(request, files, leftOut, report);
  // Files that changed in the meantime were decoded with another content than the key stands for.
  if (statKey(list(request).files, size) === statKey(files, size)) {
    await remember(cache, content, packed);
    if (quick !== undefined) await remember(cache, quick, packed);
  }
  return use(packed, packed.count);
}

function list(
  { root, layout, followLinks, offered }: PackRequest,
  onFound: (files: number) => void = () => undefined,
): Listing {
  const offersFollowLinks = offered.includes('--follow-links');
  return listImageFolder(root, followLinks, { layout, offersFollowLinks, onFound });
}

/**
 * Tells whether the pack of an earlier run is there and undamaged. A damaged one is reported once, and stays until a
 * whole one takes its place: another process may have replaced it by now.
 */
async function isThere(
  cache: string,
  { fingerprint }: Packed,
  damaged: Set<string>,
  report: PackProgress,
): Promise<boolean> {
  const path = packPath(cache, fingerprint);
  if (damaged.has(fingerprint) || !existsSync(path)) return false;
  if (await isPackOf(path, fingerprint)) return true;
  damaged.add(fingerprint);
  report.warning(`the decoded faces in ${path} are damaged: decoding the images again`);
  return false;
}

async function decodeAll(
  request: PackRequest,
  files: readonly ListedFile[],
  listed: readonly LeftOutKind[],
  report: PackProgress,
): Promise<Packed> {
  const { root, size, cache, temporary } = request;
  const broken: BrokenFile[] = [];
  const leftOut = new LeftOut();
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
      switch (decoded.kind) {
        case 'face':
          await writer.write(decoded.pixels);
          faces++;
          break;
        case 'broken':
          broken.push({ path, reason: decoded.reason });
          break;
        case 'other':
          if (decoded.format === undefined) leftOut.add('file', 'without an image', path);
          else leftOut.add('image', decoded.format, path);
      }
      report.decoding(done, files.length);
    }
    if (faces === 0)
      throw await withoutImages(request, files.length, broken, new LeftOut(listed, leftOut.kinds).kinds);
    const { fingerprint, count } = await writer.finish();
    return { fingerprint, count, broken, leftOut: leftOut.kinds };
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    await pool.close();
  }
}

async function withoutImages(
  { root, cache }: PackRequest,
  files: number,
  broken: readonly BrokenFile[],
  leftOut: readonly LeftOutKind[],
): Promise<UserError> {
  const others = leftOut.length === 0 ? [] : [describeLeftOut(leftOut)];
  return new UserError(
    `none of the ${files} files in ${root} is a readable jpeg, png, webp, bmp or gif image: use images in these formats ` +
      `(${[...others, ...(await nameBroken(root, cache, broken))].join('; ')})`,
  );
}

/** Reports what is not used. Throws a UserError if too many images are broken. */
async function reportUnused(
  request: PackRequest,
  listed: readonly LeftOutKind[],
  { broken, leftOut, count }: Packed,
  report: PackProgress,
): Promise<void> {
  const { root, offered } = request;
  const kinds = new LeftOut(listed, leftOut).kinds;
  if (kinds.length > 0) report.warning(describeLeftOut(kinds, root) + adviceFor(kinds, offered));
  const lines = await reportBroken(
    { ...request, offersMaxBroken: offered.includes('--max-broken') },
    broken,
    count + broken.length,
  );
  for (const line of lines) report.warning(line);
}

function adviceFor(kinds: readonly LeftOutKind[], offered: readonly OfferedOption[]): string {
  const units = kinds.map(({ unit }) => unit);
  const images = units.includes('image')
    ? '; only jpeg, png, webp, bmp and gif images in sub-folders are used'
    : '';
  const links =
    units.includes('link') && offered.includes('--follow-links') ? '; --follow-links follows links out' : '';
  return images + links;
}
