import { faceBytes, type Faces } from '../data/index.js';
import { DESCRIPTOR_LENGTH, type FaceAnalysis } from './face-analysis.js';
import { Nearest, nearestOfEach, squaredDistance } from './nearest.js';
import { FaceSheet } from './face-sheet.js';
import type { Picture } from '../sampling/picture.js';

/** Rows: samples as they come, and those that are nearest to a real face, where a copy would be. */
const FIRST = 8;
const SUSPECT = 8;
const NEIGHBOURS = 3;

/** Real faces at most that are compared pixel by pixel, evenly from all of them: bounds the time. */
const MOST_COMPARED = 20_000;

export interface NeighbourSheetParts {
  readonly samples: Faces;
  readonly reals: Faces;
  readonly sampleAnalysis: FaceAnalysis;
  readonly realAnalysis: FaceAnalysis;
  /** Indices of `realAnalysis` in the pack. */
  readonly realIndices: Uint32Array;
}

/** A row each: a sample, the real faces with the nearest descriptors, and those with the nearest pixels. */
export function neighbourSheet(parts: NeighbourSheetParts): Picture {
  const { samples, reals, sampleAnalysis, realAnalysis, realIndices } = parts;
  const rows = rowsOf(sampleAnalysis, realAnalysis);
  const pictures = rows.map((sample) => readFace(samples, sample));
  const byPixels = nearestByPixels(pictures, reals);
  const sheet = new FaceSheet(samples.size, rows.length, [1, NEIGHBOURS, NEIGHBOURS]);
  for (const [row, sample] of rows.entries()) {
    const byDescriptor = nearestDescriptors(sampleAnalysis, sample, realAnalysis);
    sheet.put(row, 0, 0, pictures[row]);
    for (const [place, { index }] of byDescriptor.entries())
      sheet.put(row, 1, place, readFace(reals, realIndices[index]));
    for (const [place, { index }] of byPixels[row].found.entries())
      sheet.put(row, 2, place, readFace(reals, index));
  }
  return sheet.picture;
}

function rowsOf(sampleAnalysis: FaceAnalysis, { descriptors }: FaceAnalysis): number[] {
  const count = sampleAnalysis.found.length;
  const first = Array.from({ length: Math.min(FIRST, count) }, (_, sample) => sample);
  const suspect = nearestOfEach(sampleAnalysis.descriptors, descriptors, DESCRIPTOR_LENGTH)
    .map(({ distance }, sample) => ({ sample, distance }))
    .filter(({ sample }) => sample >= FIRST)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, SUSPECT);
  return [...first, ...suspect.map(({ sample }) => sample)];
}

function nearestDescriptors(
  { descriptors }: FaceAnalysis,
  sample: number,
  reals: FaceAnalysis,
): Nearest['found'] {
  const nearest = new Nearest(NEIGHBOURS);
  const at = sample * DESCRIPTOR_LENGTH;
  for (let real = 0; real < reals.found.length; real++)
    nearest.offer(
      real,
      squaredDistance(descriptors, at, reals.descriptors, real * DESCRIPTOR_LENGTH, DESCRIPTOR_LENGTH),
    );
  return nearest.found;
}

/** Nearest faces of each picture. Each real face is read once. */
function nearestByPixels(pictures: readonly Uint8Array[], reals: Faces): Nearest[] {
  const nearest = pictures.map(() => new Nearest(NEIGHBOURS));
  const stride = Math.ceil(reals.count / MOST_COMPARED);
  for (let real = 0; real < reals.count; real += stride) {
    const face = readFace(reals, real);
    for (const [row, picture] of pictures.entries())
      nearest[row].offer(real, squaredDistance(picture, 0, face, 0, face.length));
  }
  return nearest;
}

function readFace(faces: Faces, index: number): Uint8Array {
  const bytes = new Uint8Array(faceBytes(faces.size));
  faces.read([index], bytes);
  return bytes;
}
