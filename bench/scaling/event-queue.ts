/** What happens when: a binary heap. Of what happens at one time, that comes first which was added first. */
export class EventQueue {
  readonly #heap: { readonly at: number; readonly order: number; readonly happen: (at: number) => void }[] =
    [];
  #added = 0;

  add(at: number, happen: (at: number) => void): void {
    const heap = this.#heap;
    let index = heap.push({ at, order: this.#added++, happen }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Until nothing is left; returns when that was. */
  run(): number {
    let now = 0;
    for (let next = this.#take(); next; next = this.#take()) {
      now = next.at;
      next.happen(now);
    }
    return now;
  }

  #take() {
    const heap = this.#heap;
    const first = heap.at(0);
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2])
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === index) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    return a.at === b.at ? a.order < b.order : a.at < b.at;
  }

  #swap(one: number, other: number): void {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other], this.#heap[one]];
  }
}
