import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { UserError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import {
  faceBytes,
  Faces,
  isPackOf,
  isPackOfPart,
  normaliseFaces,
  packPath,
  PackWriter,
  prepareFaces,
  ShardBatches,
  sweepPacks,
  type PackHeader,
  type Sampler,
} from '../data/index.js';
import type { ShardImages } from '../model/shard-trainer.js';
import type { WorkerOptions } from './options.js';

/** The run's faces, as the coordinator names them. */
export interface RunDataset {
  readonly fingerprint: string;
  readonly count: number;
  /** Pixels a side. */
  readonly size: number;
}

/** Images that must be closed when they are no longer read. */
export interface OpenImages extends ShardImages {
  close(): void;
}

export class DatasetMismatch extends UserError {
  constructor(folder: string, found: RunDataset, wanted: RunDataset) {
    const short = ({ fingerprint, count }: RunDataset): string =>
      `${count.toLocaleString('en')} images (fingerprint ${fingerprint.slice(0, 8)})`;
    super(
      `${folder} has ${short(found)}, the run has ${short(wanted)}: give --data the run's folder, ` +
        'or leave it out to receive the images from the coordinator',
    );
  }
}

/**
 * The whole dataset where it is on this machine: decoded in the cache already (a worker beside its coordinator), or
 * in the worker's own folder. Undefined: the shards' images must be fetched.
 */
export async function findWholeDataset(
  cache: string,
  { data: folder, followLinks }: Pick<WorkerOptions, 'data' | 'followLinks'>,
  wanted: RunDataset,
  log: Log,
): Promise<Faces | undefined> {
  if (folder !== undefined) {
    const found = await prepareFaces({
      root: folder,
      followLinks,
      size: wanted.size,
      cache,
      maxBrokenShare: 1, // The coordinator has decided on that; the fingerprint tells whether the images are the run's.
      offered: ['--follow-links'],
      onWarning: log,
    });
    if (found.fingerprint !== wanted.fingerprint) throw new DatasetMismatch(folder, found, wanted);
  }
  const path = packPath(cache, wanted.fingerprint);
  if (!existsSync(path)) return undefined;
  // The pack of the worker's own folder has just been checked.
  if (folder === undefined && !(await isPackOf(path, wanted.fingerprint))) {
    log(`the decoded faces in ${path} are damaged: fetching this worker's images from the coordinator`);
    return undefined;
  }
  return Faces.open(path);
}

export function wholeImages(faces: Faces, sampler: Sampler): OpenImages {
  const batches = new ShardBatches(faces, sampler);
  return {
    read: (batch, shard, into) => {
      batches.read(batch, shard, into);
    },
    close: () => undefined,
  };
}

/** Offsets on the wire have 32 bits. */
const MAX_FETCHED_BYTES = 2 ** 32 - 1;

/** Downloads all bytes of a shard's images, in the order of its own numbers. */
export type FetchShard = (shard: number, take: (faces: Uint8Array) => Promise<void>) => Promise<void>;

export interface ShardImagesOptions {
  readonly cache: string;
  readonly dataset: RunDataset;
  readonly sampler: Sampler;
  readonly shards: readonly number[];
  readonly log: Log;
}

/** The images of some shards, each kept in a pack of its own in the cache, fetched unless it is there undamaged. */
export async function shardImages(
  { cache, dataset, sampler, shards, log }: ShardImagesOptions,
  fetch: FetchShard,
): Promise<OpenImages> {
  const folder = join(cache, 'shards');
  await mkdir(folder, { recursive: true });
  const { fingerprint, size } = dataset;
  const packs = new Map<number, Faces>();
  const bytesOf = (shard: number): number => sampler.sizeOf(shard) * faceBytes(size);
  if (shards.some((shard) => bytesOf(shard) > MAX_FETCHED_BYTES))
    throw new UserError(
      'the images of a shard are more than 4 GiB, too many to be sent: give this worker --data, or the run more --shards',
    );
  for (const shard of shards) {
    const path = join(folder, `${fingerprint}-${shard}-of-${sampler.options.shards}.pack`);
    const part = { fingerprint, size, count: sampler.sizeOf(shard) };
    const isThere = existsSync(path);
    const isUsable = isThere && (await isPackOfPart(path, part));
    if (isThere && !isUsable) log(`the images of shard ${shard} in ${path} are damaged: fetching them again`);
    if (!isUsable) await fetchPack(path, part, (take) => fetch(shard, take));
    packs.set(shard, Faces.open(path));
  }
  sweepPacks(folder);
  const bytes = new Uint8Array(sampler.shardBatch * faceBytes(dataset.size));
  return {
    read(batch, shard, into) {
      const faces = packs.get(shard);
      if (!faces) throw new Error(`the images of shard ${shard} are not on this worker`);
      const own = sampler.indices(batch, shard).map((image) => sampler.ownNumber(image));
      faces.read(own, bytes);
      normaliseFaces(bytes, dataset.size, sampler.mirrored(batch, shard), into);
    },
    close() {
      for (const faces of packs.values()) faces.close();
    },
  };
}

async function fetchPack(
  path: string,
  part: PackHeader,
  fetch: (take: (faces: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const writer = await PackWriter.create(path, part);
  try {
    await fetch((faces) => writer.write(faces));
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.finish();
}
