import type { EventKind, RunEvent } from './api.js';
import { element, made } from './dom.js';

/** Most events shown, newest first. */
const MOST = 1_000;

const LOOKS: Readonly<Partial<Record<EventKind, 'good' | 'warn' | 'bad'>>> = {
  ...{ begun: 'good', joined: 'good', resumed: 'good', done: 'good' },
  ...{ paused: 'warn', refused: 'warn', rejected: 'warn', rewound: 'warn', slow: 'warn', stopped: 'warn' },
  ...{ lost: 'bad', fault: 'bad' },
};

/** Time line of a run's events, and a list. */
export class Timeline {
  readonly #list = element('events');
  readonly #strip = element('strip');
  #events: RunEvent[] = [];

  clear(): void {
    this.#events = [];
    this.#list.replaceChildren();
    this.#drawStrip();
  }

  add(events: readonly RunEvent[]): void {
    const last = this.#events.at(-1)?.id ?? 0;
    const fresh = events.filter(({ id }) => id > last);
    this.#events = [...this.#events, ...fresh].slice(-MOST);
    this.#list.prepend(...fresh.toReversed().map(item));
    while (this.#list.children.length > MOST) this.#list.lastElementChild?.remove();
    element('no-events').hidden = this.#events.length > 0;
    this.#drawStrip();
  }

  #drawStrip(): void {
    const times = this.#events.map(({ time }) => Date.parse(time));
    const [first, last] = [times[0], times[times.length - 1]];
    const dots = this.#events.map(({ kind, message }, index) => {
      const dot = made('i', '', { class: LOOKS[kind] ?? '', title: message });
      const share = last > first ? (times[index] - first) / (last - first) : 0;
      dot.style.left = `calc(6px + (100% - 12px) * ${share})`;
      return dot;
    });
    this.#strip.replaceChildren(...dots);
    this.#strip.hidden = dots.length === 0;
  }
}

function item({ time, kind, message }: RunEvent): HTMLLIElement {
  const at = new Date(time);
  const line = made('li');
  line.append(
    made('time', at.toLocaleTimeString('en-GB'), { datetime: time, title: at.toLocaleString('en-GB') }),
    made('b', kind, { class: LOOKS[kind] ?? '' }),
    made('span', message),
  );
  return line;
}
