/** Steps that a rate is taken from: enough to even out samples and checkpoints, few enough to follow a change. */
const WINDOW = 100;

/** Rate of steps, including everything between them. */
export class StepRate {
  readonly #marks: { readonly step: number; readonly at: number }[] = [];

  /** at: milliseconds of any clock that does not go back. */
  mark(step: number, at: number): void {
    // The run has gone back: what was before says nothing about the steps that come.
    if (step <= (this.#marks.at(-1)?.step ?? 0)) this.#marks.length = 0;
    this.#marks.push({ step, at });
    if (this.#marks.length > WINDOW + 1) this.#marks.shift();
  }

  /** Undefined until there are two marks to tell it from. */
  secondsFor(steps: number): number | undefined {
    const first = this.#marks.at(0);
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined || last.step <= first.step) return undefined;
    return ((last.at - first.at) / 1000 / (last.step - first.step)) * steps;
  }
}
