import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { encode } from '../src/wire/codec.js';
import { connect, listen } from './support/wire/ends.js';
import { ConnectionFuzz } from './support/wire/fuzz-connections.js';
import { FuzzInputs } from './support/wire/fuzz-inputs.js';
import { DecodeFuzz } from './support/wire/fuzz.js';
import { memoryInUse } from './support/wire/memory.js';
import { MESSAGES } from './support/wire/messages.js';
import { until } from './support/wire/until.js';

const INPUTS = 50_000;
const CONNECTIONS = 400;

describe('decode', () => {
  it(`takes or rejects each of ${INPUTS} inputs, soon, and keeps nothing of them`, () => {
    const fuzz = new DecodeFuzz(1);
    fuzz.run(INPUTS / 10);
    const before = memoryInUse();
    fuzz.run((9 * INPUTS) / 10);
    const { heap } = memoryInUse();
    const { inputs, accepted, rejected, slowest } = fuzz.counts;
    assert.equal(inputs, INPUTS);
    assert.ok(heap < before.heap + 5, `${before.heap} MiB before, ${heap} MiB after`);
    assert.ok(slowest < 2_000, `${slowest} ms`);
    // The inputs reach everything: each kind is taken, and both checks reject.
    assert.deepEqual([...accepted.keys()].sort(), MESSAGES.map(({ kind }) => kind).sort());
    assert.deepEqual([...rejected.keys()].sort(), ['out_of_range', 'undecodable']);
    for (const count of [...accepted.values(), ...rejected.values()]) assert.ok(count > 100, `${count}`);
  });

  it('gets the same inputs by the same seed', () => {
    const inputs = (seed: number): string => {
      const made = new FuzzInputs(seed);
      const frames = Array.from({ length: 100 }, () => made.next()).flat();
      return Buffer.concat(frames).toString('hex');
    };
    const first = inputs(1);
    assert.equal(inputs(1), first);
    assert.notEqual(inputs(2), first);
  });
});

describe('a listener', () => {
  it(`serves a worker between and after ${CONNECTIONS} strangers, and keeps nothing of them`, async (t) => {
    const { received, traffic, address } = await listen(t);
    const worker = connect(t, address);
    const fuzz = new ConnectionFuzz(Number(address.split(':').at(-1)), 1);
    t.after(() => fuzz.close());
    let step = 0;
    const expectService = async (): Promise<void> => {
      // A run of its own tells it from what strangers say.
      const message = { ...MESSAGES[4], run: 'the run', step: ++step };
      await worker.link.send(message);
      const expected = Buffer.concat(encode(message));
      await until('the message', () =>
        received.some((each) => Buffer.concat(encode(each.message)).equals(expected)),
      );
      received.length = 0;
    };
    await expectService();
    await fuzz.run(CONNECTIONS / 4);
    const [before, open] = [memoryInUse(), openFiles()];
    for (let round = 0; round < 3; round++) {
      await expectService();
      await fuzz.run(CONNECTIONS / 4);
    }
    await expectService();
    assert.ok(fuzz.silent > 0);
    await fuzz.close();
    await expectService();
    assert.deepEqual(worker.events, ['connected']);
    // Strangers of every sort were there: some fail in the handshake, others with what they say after it.
    const inHandshake = traffic.rejections.filter((reason) => reason === 'handshake').length;
    const later = traffic.rejections.length - inHandshake;
    assert.ok(inHandshake > CONNECTIONS / 8, `${inHandshake}`);
    assert.ok(later > CONNECTIONS / 40, `${later}`);
    traffic.rejections.length = 0;
    const { heap } = memoryInUse();
    assert.ok(heap < before.heap + 5, `${before.heap} MiB before, ${heap} MiB after`);
    await until('every connection to be gone', () => openFiles() <= open);
  });
});

/** Files and sockets that this process has open; 0 where the system does not tell. */
function openFiles(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}
