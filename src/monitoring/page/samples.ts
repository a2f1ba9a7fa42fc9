import { ask, Refused } from './connection.js';
import { element, setText } from './dom.js';

/** The grids of samples of one run, one at a time, with the reals beside. */
export class Samples {
  readonly #slider = element<HTMLInputElement>('slider');
  readonly #image = element<HTMLImageElement>('sample');
  readonly #caption = element('sample-caption');
  readonly #reals = element<HTMLImageElement>('reals');
  #run = 0;
  #steps: number[] = [];
  /** The step that was asked for last, and the one that is shown. */
  #wanted = -1;
  #isLoading = false;

  constructor() {
    this.#slider.addEventListener('input', () => {
      this.#show();
    });
  }

  /** Shows another run, from its beginning. */
  choose(run: number): void {
    this.#run = run;
    this.#steps = [];
    this.#wanted = -1;
    this.#image.hidden = true;
    this.#reals.hidden = true;
    setText(this.#caption, 'No samples yet');
    this.#slider.disabled = true;
  }

  /** A user who views the newest sample sees the next one when it arrives; an older one stays. */
  add(run: number, steps: readonly number[]): void {
    if (run !== this.#run) return;
    const isNewest = this.#steps.length === 0 || Number(this.#slider.value) === this.#steps.length - 1;
    this.#steps.push(...steps.filter((step) => step > (this.#steps.at(-1) ?? -1)));
    if (this.#steps.length === 0) return;
    this.#slider.disabled = false;
    this.#slider.max = String(this.#steps.length - 1);
    if (isNewest) this.#slider.value = this.#slider.max;
    this.#show();
    if (this.#reals.hidden) void this.#showReals();
  }

  #show(): void {
    const step = this.#steps[Number(this.#slider.value)];
    this.#slider.setAttribute('aria-valuetext', `step ${step}`);
    this.#wanted = step;
    if (!this.#isLoading) void this.#load();
  }

  /** Loads one image at a time: after quick moves of the slider, the last one. */
  async #load(): Promise<void> {
    this.#isLoading = true;
    const run = this.#run;
    try {
      for (let shown = -2; shown !== this.#wanted && run === this.#run;) {
        shown = this.#wanted;
        const name = `step-${String(shown).padStart(6, '0')}`;
        await setPicture(this.#image, `/samples/${name}.png?run=${run}`);
        if (run !== this.#run) break;
        this.#image.alt = `Generated images after step ${shown}`;
        this.#image.hidden = false;
        const place = `${Number(this.#slider.value) + 1} of ${this.#steps.length}`;
        setText(this.#caption, `Generated, step ${shown.toLocaleString('en')} (${place})`);
      }
    } catch {
      setText(this.#caption, 'The picture could not be loaded');
    } finally {
      this.#isLoading = false;
    }
    if (run !== this.#run && this.#wanted >= 0) void this.#load();
  }

  async #showReals(): Promise<void> {
    try {
      await setPicture(this.#reals, `/reals.png?run=${this.#run}`);
      this.#reals.hidden = false;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
}

/** An <img> sends no token: its bytes are fetched. */
async function setPicture(image: HTMLImageElement, path: string): Promise<void> {
  const url = URL.createObjectURL(await (await ask(path)).blob());
  const before = image.src;
  image.src = url;
  await image.decode().catch(() => undefined);
  if (before.startsWith('blob:')) URL.revokeObjectURL(before);
}
