import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { randomStream } from '../../../src/common/random.js';
import { Sequence } from '../../../src/wire/sequence.js';
import { Choice } from './choice.js';
import { FuzzInputs } from './fuzz-inputs.js';

/** Bits of a ZMTP frame's first byte. */
const MORE = 1;
const LONG = 2;
const COMMAND = 4;

/** How long a connection that has said all waits to be closed before it is, in milliseconds. */
const WAIT = 20;

/** Connections at a time. */
const AT_ONCE = 16;

/**
 * Strangers at a ZeroMQ port, whatever security it has: plain TCP connections that send nothing, random bytes, or
 * greetings, handshakes and frames with something wrong, and leave at any time. Every connection is closed in the end.
 */
export class ConnectionFuzz {
  readonly #choice: Choice;
  readonly #inputs: FuzzInputs;
  readonly #silent: Socket[] = [];

  constructor(
    private readonly port: number,
    seed: number,
  ) {
    this.#choice = new Choice(randomStream(seed, 'fuzz connections'));
    this.#inputs = new FuzzInputs(seed);
  }

  /** So many connections, each from its beginning to its end but for those that stay and never say anything. */
  async run(count: number): Promise<void> {
    for (let done = 0; done < count; done += AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - done) }, () => this.#one(this.#pieces())),
      );
  }

  /** How many stay and say nothing. */
  get silent(): number {
    return this.#silent.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#silent.map(end));
  }

  /** What a connection sends, or undefined where it stays and never says anything. */
  #pieces(): readonly Uint8Array[] | undefined {
    const choice = this.#choice;
    const all = choice.chance(0.2) ? [choice.bytes(choice.number(1, 300))] : this.#conversation();
    switch (choice.number(0, 9)) {
      case 0:
        return undefined;
      case 1:
        return [];
      case 2:
      case 3: {
        // It breaks off anywhere.
        const bytes = Buffer.concat(all);
        return [bytes.subarray(0, choice.number(0, Math.min(bytes.length, 1000)))];
      }
      default:
        return all;
    }
  }

  #conversation(): readonly Uint8Array[] {
    const choice = this.#choice;
    const parts = choice.chance(0.5) ? [GREETING, READY] : [anyGreeting(choice), anyHandshake(choice)];
    for (let messages = choice.number(0, 4); messages > 0; messages--) parts.push(...this.#message());
    if (choice.chance(0.3)) return parts;
    const harmed = choice.number(0, parts.length - 1);
    return parts.with(harmed, harm(choice, parts[harmed]));
  }

  #message(): Uint8Array[] {
    const frames = new Sequence().number(this.#inputs.next());
    return frames.map((content, index) => frame(index + 1 < frames.length ? MORE : 0, content));
  }

  async #one(pieces: readonly Uint8Array[] | undefined): Promise<void> {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    if (!pieces) {
      this.#silent.push(socket);
      return;
    }
    for (const piece of pieces) socket.write(piece);
    if (!socket.destroyed && pieces.length > 0) await Promise.race([closed(socket), pause(WAIT)]);
    if (this.#choice.chance(0.5)) socket.resetAndDestroy();
    await end(socket);
  }
}

async function end(socket: Socket): Promise<void> {
  socket.destroy();
  await closed(socket);
}

/** Not `once`: that the other end broke the connection is no failure here. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else
      socket.once('close', () => {
        resolve();
      });
  });
}

function anyGreeting(choice: Choice): Uint8Array {
  const bytes = Buffer.from(GREETING);
  bytes[10] = choice.chance(0.8) ? 3 : choice.number(0, 255);
  bytes[11] = choice.number(0, 1);
  bytes.fill(0, 12).write(choice.of(['NULL', 'CURVE', 'PLAIN', 'GSSAPI', 'NULLNULLNULLNULLNULL', '']), 12);
  bytes[32] = choice.number(0, 1);
  return bytes;
}

/** A command of one mechanism or another. */
function anyHandshake(choice: Choice): Uint8Array {
  const type = choice.of(['\x06DEALER', '\x03REQ', '\x06ROUTER', '\x03PUB', '\0', '\xffDEALER']);
  const identity = Buffer.concat([Buffer.from('\x08Identity\0\0\x01\0'), choice.bytes(256)]);
  return frame(
    COMMAND,
    choice.of([
      latin1(`\x05READY\x0bSocket-Type\0\0\0${type}`),
      Buffer.concat([latin1(READY_TEXT), identity]),
      // CURVE's hello: version 1.0, padding, a public key, a nonce, a signed box; 200 bytes in all.
      Buffer.concat([latin1('\x05HELLO\x01\0'), Buffer.alloc(72), choice.bytes(32 + 8 + 80)]),
      Buffer.concat([latin1('\x08INITIATE'), choice.bytes(choice.number(0, 300))]),
      latin1('\x05ERROR\x04nope'),
      choice.bytes(choice.number(0, 40)),
    ]),
  );
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function frame(flags: number, content: Uint8Array): Uint8Array {
  if (content.length < 256) return Buffer.concat([Uint8Array.of(flags, content.length), content]);
  const header = Buffer.alloc(9, flags | LONG);
  header.writeBigUInt64BE(BigInt(content.length), 1);
  return Buffer.concat([header, content]);
}

/** Some bits changed, an end cut off, or a length that is made up. */
function harm(choice: Choice, bytes: Uint8Array): Uint8Array {
  const changed = Buffer.from(bytes);
  switch (choice.number(0, 2)) {
    case 0:
      for (let bits = choice.number(1, 3); bits > 0; bits--)
        changed[choice.number(0, changed.length - 1)] ^= 1 << choice.number(0, 7);
      return changed;
    case 1:
      return changed.subarray(0, choice.number(0, changed.length));
    default: {
      const header = Buffer.alloc(9, choice.of([LONG, LONG | MORE, LONG | COMMAND]));
      header.writeBigUInt64BE(choice.of([2n ** 64n - 1n, 2n ** 63n, 2n ** 31n, 2n ** 21n, 1000n]), 1);
      return Buffer.concat([header, changed]);
    }
  }
}

const READY_TEXT = '\x05READY\x0bSocket-Type\0\0\0\x06DEALER';

/** What a DEALER without security says first: 64 bytes of signature, version 3.0 and mechanism, then its type. */
const GREETING = Buffer.concat([
  Buffer.from('ff00000000000000007f0300', 'hex'),
  Buffer.from('NULL'),
  Buffer.alloc(48),
]);
const READY = frame(COMMAND, latin1(READY_TEXT));
