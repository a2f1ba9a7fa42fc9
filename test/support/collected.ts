import { collectGarbage } from './wire/memory.js';

/** Says which of the objects that it was shown are still in memory. */
export class Survivors {
  readonly #shown: WeakRef<object>[] = [];

  add<Shown extends object>(object: Shown): Shown {
    this.#shown.push(new WeakRef(object));
    return object;
  }

  /** Their number, when everything that nobody needs is gone. */
  count(): number {
    collectGarbage();
    return this.#shown.filter((each) => each.deref()).length;
  }
}
