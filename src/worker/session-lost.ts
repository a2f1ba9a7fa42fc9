/** The connection is no longer part of the run, or cannot be trusted any more: say hello on a new one. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';
}
