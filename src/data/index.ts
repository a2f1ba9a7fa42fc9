export { DamagedPack, Faces } from './faces.js';
export { DEFAULT_FACES, defaultFaces, drawFaces, type DrawOptions } from './drawn-faces.js';
export type { FolderLayout } from './image-folder.js';
export { normalise, normaliseFaces } from './normalise.js';
export { packPath, sweepPacks, temporaryPackPath } from './pack-cache.js';
export { isPackOf, isPackOfPart } from './pack-check.js';
export type { OfferedOption } from './pack-images.js';
export { faceBytes, type PackHeader } from './pack-format.js';
export { PackWriter, type PackWriterOptions } from './pack-writer.js';
export {
  DEFAULT_MAX_BROKEN_SHARE,
  prepareFaces,
  type PreparedFaces,
  type PrepareOptions,
} from './prepare-faces.js';
export { Sampler, type SamplerOptions } from './sampler.js';
export { ShardBatches } from './shard-batches.js';
