import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { ftruncateSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { loadLibc } from '../src/wire/segments/libc.js';
import { OtherSegment } from '../src/wire/segments/other-segment.js';
import { OwnSegment, type Place } from '../src/wire/segments/own-segment.js';
import { HEADER_BYTES } from '../src/wire/segments/segment-layout.js';
import { formatSegmentName, newToken, parseSegmentName } from '../src/wire/segments/segment-name.js';
import { Segments } from '../src/wire/segments/segments.js';

const ROOM = 1024 * 1024;

async function open(t: TestContext, room = ROOM): Promise<Segments> {
  const segments = await Segments.open(room);
  t.after(() => {
    segments.close();
  });
  return segments;
}

/** Two that read each other. */
async function openPair(t: TestContext): Promise<[Segments, Segments]> {
  const pair: [Segments, Segments] = [await open(t), await open(t)];
  pair[0].readOnly([pair[1].name]);
  pair[1].readOnly([pair[0].name]);
  return pair;
}

function placed(from: Segments, to: Segments, payload: Uint8Array): Place {
  const place = from.placeFor(to.name, payload);
  assert.ok(place);
  return place;
}

/** How many files of segments this process has mapped, and open. */
function mappedHere(): number {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return maps.filter((line) => line.includes('/memfd:dcgan-')).length;
}

function openHere(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('segments', { timeout: 60_000 }, () => {
  it('show others what was placed, aligned for any numbers, without a copy', async (t) => {
    const [one, other] = await openPair(t);
    const payloads = [1, 63, 64, 65, 4096].map((length, i) => new Uint8Array(length).fill(i + 1));
    const places = payloads.map((payload) => placed(one, other, payload));
    for (const [i, place] of places.entries()) {
      const seen = other.view(one.name, place);
      assert.deepEqual(seen, payloads[i]);
      assert.equal(seen.byteOffset % 64, 0);
      other.requireUnchanged(one.name, place);
    }
    const [first, second] = [placed(one, other, payloads[0]), placed(one, other, payloads[0])];
    assert.equal(first.at, second.at, 'of several receivers, the second is shown the same copy');
  });

  it('take the place anew when something is placed again, and tell who has not read it yet', async (t) => {
    const [one, other] = await openPair(t);
    const old = placed(one, other, Uint8Array.of(1));
    one.beginAnew();
    assert.deepEqual(other.view(one.name, old), Uint8Array.of(1), 'nothing is overwritten yet');
    const next = placed(one, other, Uint8Array.of(2));
    assert.equal(next.at, old.at);
    assert.deepEqual(other.view(one.name, next), Uint8Array.of(2));
    const late = { name: 'Rejection', reason: 'out_of_sequence' };
    assert.throws(() => other.view(one.name, old), late);
    assert.throws(() => {
      other.requireUnchanged(one.name, old);
    }, late);
  });

  it('place nothing where there is no room, or for who does not say that he reads it', async (t) => {
    const [one, other] = await openPair(t);
    const half = new Uint8Array(ROOM / 2);
    placed(one, other, half);
    placed(one, other, half.slice());
    assert.equal(one.placeFor(other.name, Uint8Array.of(1)), undefined);
    one.beginAnew();
    placed(one, other, half);

    other.readOnly([]);
    assert.equal(one.placeFor(other.name, Uint8Array.of(1)), undefined);
    const stranger = await open(t);
    stranger.readOnly([one.name]);
    assert.equal(one.placeFor(stranger.name, Uint8Array.of(1)), undefined, 'it reads, but is not read');
  });

  it('refuse a place that cannot be, and one in a segment that is not read', async (t) => {
    const [one, other] = await openPair(t);
    const { use } = placed(one, other, Uint8Array.of(1));
    const end = HEADER_BYTES + ROOM;
    for (const [at, bytes] of [
      [0, 1],
      [HEADER_BYTES - 1, 1],
      [end, 1],
      [end - 3, 4],
      [0xffff_ffff, 1],
    ])
      assert.throws(() => other.view(one.name, { at, bytes, use }), { reason: 'out_of_range' });
    assert.deepEqual(other.view(one.name, { at: end - 4, bytes: 4, use }), new Uint8Array(4));
    const place = { at: HEADER_BYTES, bytes: 1, use };
    assert.throws(() => other.view('', place), { reason: 'unexpected' });
    other.readOnly([]);
    assert.throws(() => other.view(one.name, place), { reason: 'unexpected' });
  });

  it('are read by their name alone: whatever else a descriptor is, is left alone', async (t) => {
    const libc = await loadLibc();
    const own = new OwnSegment(libc, ROOM);
    t.after(() => {
      own.close();
    });
    const name = parseSegmentName(own.name);
    assert.ok(name);
    new OtherSegment(libc, name).close();
    for (const [changes, error] of [
      [{ token: newToken() }, /is no segment of that name/],
      [{ descriptor: 0 }, /is no segment of that name/],
      [{ descriptor: 9_999_999 }, /ENOENT/],
      [{ process: 1 }, /EACCES|ENOENT|is no segment of that name/],
      [{ bytes: name.bytes - 1 }, /has another size/],
    ] as const)
      assert.throws(() => new OtherSegment(libc, { ...name, ...changes }), error);
    const other = await open(t);
    other.readOnly([formatSegmentName({ ...name, token: newToken() }), 'no name at all']);
    assert.throws(() => other.view('no name at all', { at: HEADER_BYTES, bytes: 1, use: 0 }));
  });

  it('cannot be made smaller under those who read them', async (t) => {
    const own = await open(t);
    const { descriptor } = parseSegmentName(own.name) ?? {};
    assert.ok((await loadLibc()).cannotShrink(Number(descriptor)));
    assert.throws(() => {
      ftruncateSync(Number(descriptor), 1);
    }, /EPERM/);
  });

  it('leave nothing mapped or open when they are closed, however often', async (t) => {
    const own = await open(t);
    const before = [mappedHere(), openHere()];
    for (let i = 0; i < 200; i++) {
      const segments = await Segments.open(ROOM);
      segments.readOnly([own.name]);
      own.readOnly([segments.name]);
      placed(segments, own, new Uint8Array(64).fill(1));
      own.readOnly([]);
      segments.close();
    }
    assert.deepEqual([mappedHere(), openHere()], before);
  });

  it('show zeros to who still has an array of a segment that is not read any more', async (t) => {
    const [one, other] = await openPair(t);
    const seen = other.view(one.name, placed(one, other, Uint8Array.of(7)));
    other.readOnly([]);
    assert.deepEqual(seen, Uint8Array.of(0));
  });

  it('outlive a process that is killed, for those who read them, and are gone with the last of these', async (t) => {
    const own = await open(t);
    const child = fork(new URL('./support/wire/segment-process.js', import.meta.url), [own.name]);
    t.after(() => child.kill('SIGKILL'));
    const name = await wordOf<string>(child);
    own.readOnly([name]);
    child.send('read');
    const place = await wordOf<Place>(child);
    const seen = own.view(name, place);
    const expected = Uint8Array.from({ length: 1000 }, (_, i) => i);
    assert.deepEqual(seen, expected);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(seen, expected);
    own.readOnly([]);
    assert.equal(mappedHere(), 1, 'its own');
    assert.deepEqual(
      readdirSync('/dev/shm').filter((file) => file.startsWith('dcgan')),
      [],
    );
  });
});

async function wordOf<Word>(child: ChildProcess): Promise<Word> {
  const [word] = (await once(child, 'message')) as [Word];
  return word;
}
