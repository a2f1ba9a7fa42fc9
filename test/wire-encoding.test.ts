import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Writer } from 'protobufjs/minimal.js';
import { withChecksum } from '../src/wire/checksum.js';
import { decode, encode, PROTOCOL_VERSION } from '../src/wire/codec.js';
import { fate } from './support/wire/fate.js';
import { MESSAGES } from './support/wire/messages.js';

/** Wire types of protobuf. */
const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;

/** Numbers in trainer.proto. */
const HELLO = 10;
const REFUSAL = 12;
const ASSIGNMENT = 14;
const COMPUTE = 16;
const SNAPSHOT = 19;
const PING = 24;

function tag(field: number, type: number): number {
  return (field << 3) | type;
}

/** An envelope of bytes given in hex or as they are, with a right checksum. */
function envelope(...parts: readonly (string | Uint8Array)[]): readonly Uint8Array[] {
  return withChecksum([
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part))),
  ]);
}

function field(number: number, bytes: Uint8Array | string): Uint8Array {
  const content = typeof bytes === 'string' ? Buffer.from(bytes, 'hex') : bytes;
  return new Writer().uint32(tag(number, BYTES)).bytes(content).finish();
}

describe('protobuf that says a message otherwise than we do is rejected:', () => {
  const ping = field(PING, '');

  it('not so the message itself', () => {
    assert.equal(fate(envelope(ping)), 'message');
    assert.equal(fate(envelope('1805', '2001', field(COMPUTE, ''))), 'message');
    assert.equal(fate(envelope('1805', '2001', field(ASSIGNMENT, '0a020105'))), 'message');
  });

  const others: Readonly<Record<string, readonly Uint8Array[]>> = {
    'two bodies': envelope(field(COMPUTE, ''), ping),
    'the same body twice': envelope(ping, ping),
    'a field that nobody knows': envelope(ping, field(99, '00')),
    'a field that nobody knows in a body': envelope(field(PING, field(99, '00'))),
    'a number twice': envelope('1805', '1806', ping),
    'a number in a long form': envelope('18858000', ping),
    'a number in the longest form': envelope('1885808080808080808000', ping),
    'a number of more than 32 bits': envelope('1885808080808001', ping),
    'a number that is said to be 0': envelope('1800', ping),
    'a length in a long form': envelope('c2018000'),
    'fields in another order': envelope(ping, '1805'),
    'a number of another wire type': envelope('1d05000000', ping),
    'a list that is not packed': envelope('1805', '2001', field(ASSIGNMENT, '08010805')),
    'a list in two parts': envelope('1805', '2001', field(ASSIGNMENT, '0a01010a0105')),
    'a truth that is neither': envelope(field(SNAPSHOT, '08031002')),
    'text that is not UTF-8': envelope(field(1, 'ff'), ping),
    'an empty group': envelope(Uint8Array.of(tag(5, GROUP_START), tag(5, GROUP_END)), ping),
    'a group without an end': envelope(Uint8Array.of(tag(5, GROUP_START)), ping),
    'an end without a group': envelope(Uint8Array.of(tag(5, GROUP_END)), ping),
    'a field of number 0': envelope('0000', ping),
    'a number that does not end': envelope('18ffffffffffffffffffffffff', ping),
    'a body that is longer than the message': envelope('c201ffffffff0f'),
    'a text that is longer than the message': envelope('0affffffff07', ping),
    'a list that is longer than the message': envelope('1805', '2001', field(ASSIGNMENT, '0affffffff0f01')),
    'a length beyond 32 bits': envelope('0affffffffffffffff7f', ping),
  };
  for (const [name, frames] of Object.entries(others)) {
    it(name, () => {
      assert.equal(fate(frames), 'undecodable');
    });
  }

  it('groups and bodies within one another, thousands deep', () => {
    const deep = 50_000;
    const groups = Buffer.alloc(2 * deep, Uint8Array.of(tag(5, GROUP_START)));
    groups.fill(Uint8Array.of(tag(5, GROUP_END)), deep);
    assert.equal(fate(envelope(groups, ping)), 'undecodable');
    let nested: Uint8Array = ping;
    for (let depth = 0; depth < 200; depth++) nested = field(PING, nested);
    assert.equal(fate(envelope(nested)), 'undecodable');
  });

  it('an envelope larger than any may be, before it is read', () => {
    const run = (length: number): readonly Uint8Array[] =>
      envelope(field(1, Buffer.alloc(length, 'r')), ping);
    assert.equal(fate(run(512 * 1024)), 'undecodable');
    assert.equal(fate(run(256 * 1024)), 'out_of_range');
  });
});

describe('what tells versions apart', () => {
  const unknown = field(99, 'ffff');

  it('is read although it has fields of another version: a hello that is to be refused, and a refusal', () => {
    const hello = (protocol: number): readonly Uint8Array[] =>
      envelope(field(HELLO, Buffer.concat([Uint8Array.of(8, protocol), unknown])), unknown);
    const newer = decode(hello(PROTOCOL_VERSION + 1));
    assert.ok(newer.kind === 'hello' && newer.body.protocol === PROTOCOL_VERSION + 1);
    assert.equal(fate(hello(PROTOCOL_VERSION)), 'undecodable');

    const refused = decode(envelope(field(REFUSAL, Buffer.concat([field(1, Buffer.from('no')), unknown]))));
    assert.ok(refused.kind === 'refusal' && refused.body.reason === 'no');
  });

  it('no other message does', () => {
    for (const message of MESSAGES) {
      const [first, ...rest] = encode(message).slice(0, -1);
      const longer = withChecksum([Buffer.concat([first, unknown]), ...rest]);
      const known = message.kind === 'hello' || message.kind === 'refusal';
      assert.equal(fate(longer), known ? 'message' : 'undecodable', message.kind);
    }
  });
});
