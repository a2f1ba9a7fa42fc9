import type { Picture } from '../sampling/picture.js';

const CHANNELS = 3;
const WHITE = 255;
/** Pixels between faces, and between groups of them. */
const GAP = 2;
const GROUP_GAP = 14;

/** Faces in rows, each of some groups of columns, on white. */
export class FaceSheet {
  readonly picture: Picture;
  readonly #lefts: readonly (readonly number[])[];

  constructor(
    private readonly size: number,
    rows: number,
    groups: readonly number[],
  ) {
    let right = GAP;
    this.#lefts = groups.map((columns, group) => {
      if (group > 0) right += GROUP_GAP - GAP;
      return Array.from({ length: columns }, () => {
        const left = right;
        right += size + GAP;
        return left;
      });
    });
    const height = rows * (size + GAP) + GAP;
    this.picture = {
      width: right,
      height,
      pixels: new Uint8Array(right * height * CHANNELS).fill(WHITE),
    };
  }

  /** face: [size, size, 3] */
  put(row: number, group: number, column: number, face: Uint8Array): void {
    const { width, pixels } = this.picture;
    const top = GAP + row * (this.size + GAP);
    const left = this.#lefts[group][column];
    const length = this.size * CHANNELS;
    for (let line = 0; line < this.size; line++)
      pixels.set(face.subarray(line * length, (line + 1) * length), ((top + line) * width + left) * CHANNELS);
  }
}
