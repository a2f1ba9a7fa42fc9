/** Another worker of the generation cannot be sent to. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';

  constructor(
    readonly worker: number,
    reason: string,
  ) {
    super(reason);
  }
}
