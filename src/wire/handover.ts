/** Sent by a coordinator to a worker that it has started, over the channel between the two, which no other process reads. */
export interface Handover {
  /** Proves in `Hello` that the coordinator has started the worker. */
  readonly secret: string;
  /** A folder for the worker's sockets, removed by the coordinator; see SocketFolder. Undefined: no ipc sockets. */
  readonly sockets: string | undefined;
}
