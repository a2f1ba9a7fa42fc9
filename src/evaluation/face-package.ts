import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../common/errors.js';

/** Detector, recognition network and their weights. It is needed for nothing but evaluation. */
const FACE_PACKAGE = '@vladmandic/face-api';

/** Weights of another version would give other numbers. */
export const FACE_PACKAGE_VERSION = '1.7.15';

export interface FacePackage {
  readonly version: string;
  /** The folder of the weights. */
  readonly weights: string;
  /** The build that takes the TensorFlow.js that is there, whatever its backend. */
  readonly code: string;
}

/** Finds the installed package. Reads files only. */
export function findFacePackage(require: Pick<NodeJS.Require, 'resolve'> = ownRequire): FacePackage {
  let manifest: string;
  try {
    manifest = require.resolve(`${FACE_PACKAGE}/package.json`);
  } catch {
    throw new UserError(
      `evaluation needs a package that is not installed: npm install --no-save ${FACE_PACKAGE}@${FACE_PACKAGE_VERSION}`,
    );
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const folder = dirname(manifest);
  return { version, weights: join(folder, 'model'), code: join(folder, 'dist', 'face-api.node-wasm.js') };
}

const ownRequire = createRequire(import.meta.url);
