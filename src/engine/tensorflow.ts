/**
 * TensorFlow.js, required instead of imported: Node reads an imported CommonJS module once more beforehand, in
 * JavaScript, for the names that it exports, and this one has a megabyte.
 */
import tf = require('@tensorflow/tfjs-core');

export { tf };
