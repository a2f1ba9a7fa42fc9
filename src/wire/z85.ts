/** ZeroMQ's text form of keys (RFC 32): 5 characters for 4 bytes. */
const CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const BASE = 85;
const LARGEST = 2 ** 32 - 1;

/** `bytes`: a multiple of 4. */
export function encodeZ85(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const number = bytes.readUInt32BE(at);
    for (let power = BASE ** 4; power >= 1; power /= BASE)
      text += CHARACTERS[Math.floor(number / power) % BASE];
  }
  return text;
}

/** Undefined where the text is not Z85. */
export function decodeZ85(text: string): Buffer | undefined {
  if (text.length % 5 !== 0) return undefined;
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let at = 0; at < text.length; at += 5) {
    let number = 0;
    for (const character of text.slice(at, at + 5)) {
      const digit = CHARACTERS.indexOf(character);
      if (digit < 0) return undefined;
      number = number * BASE + digit;
    }
    if (number > LARGEST) return undefined;
    bytes.writeUInt32BE(number, (at / 5) * 4);
  }
  return bytes;
}
