/** Something that does one thing after the other, in the order in which they are asked for: a link, or some cores. */
export class Resource {
  readonly #freeAt: number[];

  constructor(servers = 1) {
    this.#freeAt = new Array<number>(servers).fill(0);
  }

  /** When something begins that is ready now and takes so many seconds. */
  begin(now: number, seconds: number): number {
    const server = this.#freeAt.indexOf(Math.min(...this.#freeAt));
    const begun = Math.max(now, this.#freeAt[server]);
    this.#freeAt[server] = begun + seconds;
    return begun;
  }
}
