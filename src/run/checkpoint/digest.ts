import { createHash, type Hash } from 'node:crypto';

/** The metadata field that holds the SHA-256 of the whole file, taken with zeros in the digest's own place. */
export const DIGEST_FIELD = 'sha256';

/** Stands in the field until the digest is known. */
export const NO_DIGEST = '0'.repeat(64);

/** The field in JSON. Quotes inside a string are escaped, so no other part of a header can match. */
const FIELD = Buffer.from(`"${DIGEST_FIELD}":"`);

/** The digest that a header holds; undefined if it has none. */
export function digestIn(header: Uint8Array): string | undefined {
  const place = placeOfDigest(header);
  const digits = place === undefined ? '' : textAt(header, place);
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

/** The same header with this digest in its place. Throws if there is no place for one. */
export function withDigest(header: Uint8Array, digest: string): Uint8Array {
  const place = placeOfDigest(header);
  if (place === undefined) throw new Error('the header has no place for a digest');
  const copy = Buffer.from(header);
  copy.write(digest, place, 'latin1');
  return copy;
}

/** Digests of a whole file, and of its tensors alone. */
export class FileDigest {
  readonly #file: Hash;
  readonly #state = createHash('sha256');

  constructor(header: Uint8Array) {
    this.#file = createHash('sha256').update(withDigest(header, NO_DIGEST));
  }

  /** The tensors' next bytes. */
  add(bytes: Uint8Array): void {
    this.#file.update(bytes);
    this.#state.update(bytes);
  }

  /** Both in hexadecimal. Once. */
  end(): { readonly file: string; readonly state: string } {
    return { file: this.#file.digest('hex'), state: this.#state.digest('hex') };
  }
}

function placeOfDigest(header: Uint8Array): number | undefined {
  const at = Buffer.from(header.buffer, header.byteOffset, header.byteLength).indexOf(FIELD);
  return at < 0 ? undefined : at + FIELD.length;
}

function textAt(header: Uint8Array, place: number): string {
  return Buffer.from(header.subarray(place, place + NO_DIGEST.length)).toString('latin1');
}
