/** A function that no graph can stand for. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}
