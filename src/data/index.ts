export { DamagedPack, Faces } from './faces.js';
export { DEFAULT_FACES, defaultFaces, drawFaces, type DrawOptions } from './drawn/drawn-faces.js';
export type { FolderLayout } from './folder/image-folder.js';
export { normalise, normaliseFaces } from './pixels/normalise.js';
export { packPath, sweepPacks, temporaryPackPath } from './pack/pack-cache.js';
export { isPackOf, isPackOfPart } from './pack/pack-check.js';
export type { OfferedOption } from './pack/pack-images.js';
export { faceBytes, type PackHeader } from './pack/pack-format.js';
export { PackWriter, type PackWriterOptions } from './pack/pack-writer.js';
export {
  DEFAULT_MAX_BROKEN_SHARE,
  prepareFaces,
  type PreparedFaces,
  type PrepareOptions,
} from './prepare-faces.js';
export { Sampler, type SamplerOptions } from './sampler.js';
export { ShardBatches } from './shard-batches.js';
