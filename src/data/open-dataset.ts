import { Interrupted } from '../common/errors.js';
import type { Log } from '../common/log.js';
import {
  DEFAULT_FACES,
  defaultFaces,
  drawFaces,
  Faces,
  prepareFaces,
  type FolderLayout,
  type OfferedOption,
} from './index.js';
import { countProgress, taskProgress } from '../common/task-progress.js';

export interface RunFacesOptions {
  /** The user's image folder; undefined: drawn faces. */
  readonly data: string | undefined;
  readonly layout?: FolderLayout;
  /** Also links that lead out of it. */
  readonly followLinks: boolean;
  readonly size: number;
  readonly maxBrokenShare: number;
  /** Options of the command that messages may tell the user to change. */
  readonly offered: readonly OfferedOption[];
  readonly cache: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** The decoded faces of a run, drawn and decoded first where they are not in the cache. Close them. */
export async function openRunFaces(options: RunFacesOptions): Promise<{ faces: Faces; broken: number }> {
  const {
    data,
    layout = 'classes',
    followLinks,
    size,
    maxBrokenShare,
    offered,
    cache,
    log,
    signal,
  } = options;
  const root = data ?? (await drawnFaces(cache, log, signal));
  const progress = taskProgress('decoding images');
  try {
    const prepared = await prepareFaces({
      root,
      layout,
      followLinks,
      size,
      cache,
      maxBrokenShare,
      offered,
      signal,
      onListing: countProgress('listing images', 'files'),
      onProgress: progress.update,
      onWarning: (line) => {
        log(line, { level: 'warn' });
      },
    });
    return { faces: Faces.open(prepared.path), broken: prepared.broken };
  } catch (error) {
    throw signal.aborted ? new Interrupted('stopped while the images were decoded') : error;
  } finally {
    progress.stop();
  }
}

async function drawnFaces(cache: string, log: Log, signal: AbortSignal): Promise<string> {
  const folder = defaultFaces(cache);
  const progress = taskProgress('drawing faces');
  const onBegin = (faces: number, damaged: boolean): void => {
    if (damaged) log(`the drawn faces in ${folder} are damaged: drawing them again`, { level: 'warn' });
    else log(`drawing ${faces.toLocaleString('en')} faces to train on (once; --data DIR for your own)`);
  };
  try {
    await drawFaces({ folder, ...DEFAULT_FACES, isOwn: true, signal, onBegin, onProgress: progress.update });
  } catch (error) {
    throw signal.aborted ? new Interrupted('stopped while the faces were drawn') : error;
  } finally {
    progress.stop();
  }
  return folder;
}
