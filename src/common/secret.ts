import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A text that is compared and never shown: JSON leaves it out, and what is printed of it does not hold it. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes the same time wherever the two differ. */
  matches(text: string): boolean {
    return timingSafeEqual(digest(this.#text), digest(text));
  }

  isLike(pattern: RegExp): boolean {
    return pattern.test(this.#text);
  }

  toJSON(): undefined {
    return undefined;
  }
}

/** 32 random bytes in hexadecimal digits. */
export function newSecret(): string {
  return randomBytes(32).toString('hex');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
