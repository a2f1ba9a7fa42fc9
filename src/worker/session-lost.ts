/** The connection is no longer part of the run, or cannot be trusted any more: say hello on a new one. */
export class SessionLost extends Error {
  override readonly name: string = 'SessionLost';
}

/** The coordinator has no place for this worker now, and may have one later. */
export class Refused extends SessionLost {
  override readonly name = 'Refused';
}

/** The name of the coordinator's host has no address now, and may have one later: a service may start after its workers. */
export class UnknownHost extends SessionLost {
  override readonly name = 'UnknownHost';
}
