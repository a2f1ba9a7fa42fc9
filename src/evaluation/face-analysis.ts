/** Numbers by which the recognition network describes a face. */
export const DESCRIPTOR_LENGTH = 128;

/** Analysis of some pictures by the networks. */
export interface FaceAnalysis {
  /** 1 where the detector finds a face. [pictures] */
  readonly found: Uint8Array;
  /** [pictures, 128] */
  readonly descriptors: Float32Array;
}

/** Returns the analysis of a range of the pictures. */
export function partOf({ found, descriptors }: FaceAnalysis, from: number, to: number): FaceAnalysis {
  return {
    found: found.slice(from, to),
    descriptors: descriptors.slice(from * DESCRIPTOR_LENGTH, to * DESCRIPTOR_LENGTH),
  };
}
