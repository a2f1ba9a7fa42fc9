import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { coverageOf } from '../src/wire/checksum.js';
import { decode, encode } from '../src/wire/codec.js';
import { Content, Source } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { MESSAGES, plain } from './support/wire/messages.js';

const protocol = readFileSync(new URL('../../proto/trainer.proto', import.meta.url), 'utf8');

describe('a message', () => {
  for (const message of MESSAGES) {
    it(`of kind ${message.kind} comes out as it went in`, () => {
      assert.deepEqual(plain(decode(encode(message))), plain(message));
    });
  }

  it('is one of the kinds above: none is missing', () => {
    const { oneof } = /oneof body \{(?<oneof>.*?)\}/s.exec(protocol)?.groups ?? {};
    const fields = [...oneof.matchAll(/(\w+) = \d+;/g)].map(([, name]) => name);
    const kinds = fields.map((name) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
    assert.deepEqual(MESSAGES.map(({ kind }) => kind).sort(), kinds.sort());
  });

  it("has the bytes that the protocol's text gives it", () => {
    // Field 1 (run) "r", field 2 (generation) 1, field 3 (step) 300, field 4 (phase) 2, field 18 (shard_done):
    // field 1 (shard) 5, field 2 (seconds) 0.5 as a double. By hand, from protobuf's encoding rules.
    const bytes = Buffer.from(
      '0a0172' + '1001' + '18ac02' + '2002' + '92010b' + '0805' + '11000000000000e03f',
      'hex',
    );
    const message = {
      run: 'r',
      generation: 1,
      step: 300,
      phase: 'generator',
      kind: 'shardDone',
      body: { shard: 5, computeSeconds: 0.5 },
    } as const;
    // The CRC-32 of these bytes by Python's zlib, little-endian.
    const frames = [bytes, Buffer.from('7f5821e1', 'hex')];
    assert.deepEqual(
      encode(message).map((frame) => Buffer.from(frame)),
      frames,
    );
    assert.deepEqual(plain(decode(frames)), message);
  });

  it('that is a chunk has its payload, and no copy of it, in its second frame', () => {
    const payload = Uint8Array.of(1, 2, 3, 4);
    const header = { run: 'r', generation: 1, step: 300, phase: undefined } as const;
    const body = { content: Content.STATE, shard: 0, offset: 4, total: 8, request: 0, payload };
    const frames = encode({ ...header, kind: 'chunk', body });
    // Field 17 (chunk): field 1 (content) 3, field 3 (offset) 4, field 4 (total) 8; what is 0 is left out.
    const envelope = '0a0172' + '1001' + '18ac02' + '8a0106' + '0803' + '1804' + '2008';
    assert.equal(Buffer.from(frames[0]).toString('hex'), envelope);
    assert.equal(frames[1], payload);
    // Of both, by Python: zlib.crc32(payload, zlib.crc32(envelope)).
    assert.equal(Buffer.from(frames[2]).toString('hex'), '60190d8f');
    assert.equal(frames.length, 3);
    const decoded = decode(frames);
    assert.ok(decoded.kind === 'chunk' && decoded.body.payload === payload);
  });

  it('cannot name a file outside the cache by what it calls a fingerprint', () => {
    const [welcome] = MESSAGES.filter((message) => message.kind === 'welcome');
    for (const datasetFingerprint of ['../../9f3c', '/tmp/9f3c', '', '9F3C', '9f3c\n', '0'.repeat(65)])
      assert.throws(
        () => decode(encode({ ...welcome, body: { ...welcome.body, datasetFingerprint } })),
        (error) => error instanceof Rejection && error.reason === 'out_of_range',
        datasetFingerprint,
      );
  });

  it('with one bit changed anywhere is rejected, by its checksum', () => {
    for (const message of MESSAGES) {
      const frames = encode(message);
      for (const [index, frame] of frames.entries())
        for (let bit = 0; bit < 8 * frame.length; bit++) {
          const changed = frame.slice();
          changed[bit >> 3] ^= 1 << (bit & 7);
          assert.throws(
            () => decode(frames.with(index, changed)),
            (error) =>
              error instanceof Rejection &&
              error.reason === 'undecodable' &&
              error.message === 'a message whose checksum does not match',
            `${message.kind}, frame ${index}, bit ${bit}`,
          );
        }
    }
  });

  it('is summed up but for its payload where damage to that cannot be or shows anyway', () => {
    const tcp = 'tcp://127.0.0.1:5555';
    assert.equal(coverageOf(tcp, false), 'message');
    assert.equal(coverageOf(tcp, true), 'envelope');
    assert.equal(coverageOf('ipc://@workers', false), 'envelope');
    for (const message of MESSAGES) {
      const frames = encode(message, 'envelope');
      const checksum = Buffer.from(frames.at(-1) ?? []).readUInt32LE();
      assert.equal(checksum, crc32(frames[0]), message.kind);
      assert.deepEqual(encode(decode(frames, 'envelope'), 'envelope'), frames);
      const isChunk = message.kind === 'chunk';
      if (isChunk)
        assert.throws(() => decode(frames), Rejection, 'another checksum than that of both frames');
      else assert.deepEqual(frames, encode(message));
      const damaged = frames.with(
        0,
        frames[0].map((byte) => byte ^ 1),
      );
      assert.throws(() => decode(damaged, 'envelope'), /checksum does not match/);
    }
  });

  it('whose body has every field at its default is whole', () => {
    const header = { run: '', generation: 0, step: 1, phase: 'discriminator' } as const;
    const fetched = decode(
      encode({
        ...{ ...header, kind: 'assignment' },
        body: {
          shards: [],
          source: Source.KEEP,
          stateDigest: '',
          workerOfShard: [],
          neighbours: [],
        },
      }),
    );
    assert.equal(fetched.kind, 'assignment');
    assert.deepEqual([...fetched.body.shards], []);
    assert.equal(fetched.body.source, Source.KEEP);
  });
});
