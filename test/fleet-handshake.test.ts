import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refuseHello, refuseReady } from '../src/coordinator/fleet/members/handshake.js';
import { PROTOCOL_VERSION } from '../src/wire/codec.js';

const hello = { protocol: PROTOCOL_VERSION, host: 'h', pid: 1, process: 'p', secret: '' };
const agreement = { optionsHash: 'options', datasetFingerprint: 'images', engine: 'native 2.21.0 cpu' };
const ready = { ...agreement, peerAddresses: [], peerKey: '', peerToken: '', segment: '' };

describe('a worker', () => {
  it('that fits is not refused', () => {
    assert.equal(refuseHello(hello), undefined);
    assert.equal(refuseReady(ready, agreement), undefined);
    // The first one decides the engine; one without images gets them.
    assert.equal(refuseReady({ ...ready, engine: 'wasm' }, { ...agreement, engine: undefined }), undefined);
    assert.equal(refuseReady({ ...ready, datasetFingerprint: '' }, agreement), undefined);
  });

  it('of another version is told both', () => {
    const protocol = PROTOCOL_VERSION + 1;
    const reason = new RegExp(`^it speaks protocol ${protocol}, the coordinator ${PROTOCOL_VERSION}: `);
    assert.match(refuseHello({ ...hello, protocol }) ?? '', reason);
  });

  it('that differs is told in what', () => {
    assert.match(
      refuseReady({ ...ready, optionsHash: 'x' }, agreement) ?? '',
      /^it understood other options/,
    );
    assert.match(refuseReady({ ...ready, datasetFingerprint: 'x' }, agreement) ?? '', /^it has other images/);
    assert.equal(
      refuseReady({ ...ready, engine: 'native 2.9.1 cpu' }, agreement),
      'it has engine native 2.9.1 cpu, the other workers native 2.21.0 cpu: all must have the same',
    );
  });
});
