/** State of the run for HTTP clients. */
export interface RunStatus {
  ready: boolean;
  /** The last step that was done. */
  step: number;
  /** Planned steps; 0 until known. */
  totalSteps: number;
}
