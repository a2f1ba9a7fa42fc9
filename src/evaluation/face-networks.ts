import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type { FacePackage } from './face-package.js';
import { DESCRIPTOR_LENGTH, type FaceAnalysis } from './face-analysis.js';

/** Part of face-api in use: its networks, which take tensors and need no canvas. */
interface FaceApi {
  readonly NetInput: new (images: readonly tf.Tensor3D[], isBatch: boolean) => NetInput;
  readonly nets: {
    readonly tinyFaceDetector: Network & { forwardInput(input: NetInput, size: number): tf.Tensor4D };
    readonly faceRecognitionNet: Network & { forwardInput(input: NetInput): tf.Tensor2D };
  };
}
type NetInput = object;
interface Network {
  loadFromDisk(folder: string): Promise<void>;
}

/** A border of so many sides of the picture on each side: a face that fills it has no room around it, as detectors want. */
const BORDER = 0.5;
const GREY = 128;

/** Pixels a side that the detector sees, and the score from which it calls something a face (face-api's own). */
const DETECTOR_SIZE = 160;
const LEAST_SCORE = 0.5;

/** Outputs of the detector for each of five anchors in a cell: four numbers of a box, and a confidence. */
const ANCHORS = 5;
const ANCHOR_LENGTH = 5;
const SCORE = 4;

/** Says of pictures whether there is a face in them, and describes them. The engine must have been loaded before. */
export class FaceAnalyser {
  private constructor(private readonly api: FaceApi) {}

  static async load({ code, weights }: FacePackage): Promise<FaceAnalyser> {
    const api = createRequire(import.meta.url)(code) as FaceApi;
    await api.nets.tinyFaceDetector.loadFromDisk(weights);
    await api.nets.faceRecognitionNet.loadFromDisk(weights);
    return new FaceAnalyser(api);
  }

  /** pictures: [n, size, size, 3], 0 to 255. */
  async analyse(pictures: Uint8Array, size: number): Promise<FaceAnalysis> {
    const { found, descriptors } = tf.tidy(() => {
      const images = tf.tensor4d(Float32Array.from(pictures), [
        pictures.length / (3 * size ** 2),
        size,
        size,
        3,
      ]);
      return { found: this.#scores(images), descriptors: this.#descriptors(images) };
    });
    try {
      const scores = await found.data<'float32'>();
      return {
        found: Uint8Array.from(scores, (score) => (score > LEAST_SCORE ? 1 : 0)),
        descriptors: await descriptors.data<'float32'>(),
      };
    } finally {
      tf.dispose([found, descriptors]);
    }
  }

  /** The best that the detector has seen in each. [n, size, size, 3] -> [n] */
  #scores(images: tf.Tensor4D): tf.Tensor1D {
    const border = Math.round(BORDER * images.shape[1]);
    const around: [number, number] = [border, border];
    const bordered = tf.pad(images, [[0, 0], around, around, [0, 0]], GREY);
    const cells = this.api.nets.tinyFaceDetector.forwardInput(this.#input(bordered), DETECTOR_SIZE);
    const anchors = tf.reshape(cells, [images.shape[0], -1, ANCHOR_LENGTH]);
    const scores = tf.slice(anchors, [0, 0, SCORE], [-1, -1, 1]);
    if (cells.shape[3] !== ANCHORS * ANCHOR_LENGTH)
      throw new Error(
        `the face detector answers ${cells.shape[3]} numbers a cell, not ${ANCHORS} x ${ANCHOR_LENGTH}`,
      );
    return tf.max(tf.sigmoid(scores), [1, 2]);
  }

  /** The whole picture is taken for the face. [n, size, size, 3] -> [n, 128] */
  #descriptors(images: tf.Tensor4D): tf.Tensor2D {
    const descriptors = this.api.nets.faceRecognitionNet.forwardInput(this.#input(images));
    if (descriptors.shape[1] !== DESCRIPTOR_LENGTH)
      throw new Error(`a face's descriptor has ${descriptors.shape[1]} numbers, not ${DESCRIPTOR_LENGTH}`);
    return descriptors;
  }

  #input(images: tf.Tensor4D): NetInput {
    return new this.api.NetInput(tf.unstack(images) as tf.Tensor3D[], true);
  }
}
