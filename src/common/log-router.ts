import { say, type Log } from './log.js';

/** Says what happens during a run: on stderr, or by way of what else is shown there. */
export class Voice {
  #way: Log = say;

  #listener: Log | undefined;

  readonly say: Log = (message, fields) => {
    this.#listener?.(message, fields);
    if (fields?.level !== 'debug') this.#way(message, fields);
  };

  /** Passes every later message to the listener, unprinted ones too. */
  listen(listener: Log): void {
    this.#listener = listener;
  }

  /** From now on. */
  goThrough(way: Log): void {
    this.#way = way;
  }
}
