import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { decode, encode } from '../src/wire/codec.js';
import { Content } from '../src/wire/message.js';
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
    assert.deepEqual(
      encode(message).map((frame) => Buffer.from(frame)),
      [bytes],
    );
    assert.deepEqual(plain(decode([bytes])), message);
  });

  it('that is a chunk has its payload, and no copy of it, in a second frame', () => {
    const payload = Uint8Array.of(1, 2, 3);
    const header = { run: 'r', generation: 1, step: 300, phase: undefined } as const;
    const body = { content: Content.STATE, shard: 0, offset: 5, total: 8, payload };
    const frames = encode({ ...header, kind: 'chunk', body });
    // Field 17 (chunk): field 1 (content) 3, field 3 (offset) 5, field 4 (total) 8; what is 0 is left out.
    const envelope = '0a0172' + '1001' + '18ac02' + '8a0106' + '0803' + '1805' + '2008';
    assert.equal(Buffer.from(frames[0]).toString('hex'), envelope);
    assert.equal(frames[1], payload);
    assert.equal(frames.length, 2);
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

  it('with every field at its default is whole', () => {
    const header = { run: '', generation: 0, step: 0, phase: undefined } as const;
    const fetched = decode(
      encode({ ...header, kind: 'assignment', body: { shards: [], fetchState: false } }),
    );
    assert.equal(fetched.kind, 'assignment');
    assert.deepEqual([...fetched.body.shards], []);
    assert.equal(fetched.body.fetchState, false);
  });
});
