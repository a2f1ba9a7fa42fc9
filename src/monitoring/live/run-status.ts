/** What HTTP tells of the run. */
export interface RunStatus {
  ready: boolean;
  /** The last step that was done. */
  step: number;
  /** How far the run is to go; 0 while that is not known. */
  totalSteps: number;
}
