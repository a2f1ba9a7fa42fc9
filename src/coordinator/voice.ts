import { say, type Log } from '../common/log.js';

/** Says what happens during a run: on stderr, or by way of what else is shown there. */
export class Voice {
  #way: Log = say;

  readonly say: Log = (message, fields) => {
    this.#way(message, fields);
  };

  /** From now on. */
  goThrough(way: Log): void {
    this.#way = way;
  }
}
