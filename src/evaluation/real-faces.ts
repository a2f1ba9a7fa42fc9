import { cacheFolder } from '../common/files/cache-folder.js';
import { say } from '../common/log.js';
import { DEFAULT_MAX_BROKEN_SHARE, packPath, type FolderLayout } from '../data/index.js';
import { openRunFaces } from '../data/open-dataset.js';

/** A pack of real faces, and how many there are. */
export interface RealFacesPack {
  readonly pack: string;
  readonly count: number;
}

export interface RealFacesOptions {
  /** Undefined: drawn faces. */
  readonly data?: string | undefined;
  readonly layout?: FolderLayout;
  readonly followLinks?: boolean;
  /** A share. */
  readonly maxBroken?: number;
}

/** Decodes an image folder where that was not done yet; drawn faces where none is named. */
export async function realFaces(given: RealFacesOptions, size: number): Promise<RealFacesPack> {
  const cache = cacheFolder();
  const { faces } = await openRunFaces({
    data: given.data,
    layout: given.layout ?? 'classes',
    followLinks: given.followLinks ?? false,
    maxBrokenShare: given.maxBroken ?? DEFAULT_MAX_BROKEN_SHARE,
    offered: [], // `evaluate` has none of them.
    ...{ size, cache, log: say, signal: new AbortController().signal },
  });
  faces.close();
  return { pack: packPath(cache, faces.fingerprint), count: faces.count };
}
