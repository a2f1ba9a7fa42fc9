export type { GraphNode, Value } from './graph.js';
export type { Program } from './program.js';
export { Recording } from './recording.js';
export { RecordingError } from './recording-error.js';
export type { Variable } from './variable.js';
