import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseRecord, unpackWheel } from '../src/engine/provision/wheel.js';
import { smallWheel } from './support/small-wheel.js';

describe('unpacking a wheel', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-wheel-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const library = 'tensorflow/libtensorflow_cc.so.2';

  it('takes the files it is asked for and no other', async () => {
    const wheel = join(folder, 'good.whl');
    await writeFile(wheel, smallWheel());
    await unpackWheel(wheel, [library], join(folder, 'good'));
    assert.equal(await readFile(join(folder, 'good', library), 'utf8'), `content of ${library}\n`);
    assert.deepEqual(await readdir(join(folder, 'good/tensorflow')), ['libtensorflow_cc.so.2']);
  });
  it('refuses one whose content is not what it records', async () => {
    const wheel = join(folder, 'damaged.whl');
    const bytes = smallWheel();
    bytes[bytes.indexOf(`content of ${library}`)] = 'C'.charCodeAt(0);
    await writeFile(wheel, bytes);
    await assert.rejects(
      unpackWheel(wheel, [library], join(folder, 'damaged')),
      /^BrokenWheel: .*libtensorflow_cc\.so\.2 is damaged$/,
    );
  });
  it('refuses one that lacks a file, and one that was cut off', async () => {
    const wheel = join(folder, 'short.whl');
    await writeFile(wheel, smallWheel());
    await assert.rejects(unpackWheel(wheel, ['tensorflow/absent.h'], folder), /lacks tensorflow\/absent\.h/);
    await writeFile(wheel, smallWheel().subarray(0, -100));
    await assert.rejects(unpackWheel(wheel, [library], folder));
  });
  it('reads RECORD, quoted paths and the line without a checksum included', () => {
    // The first line is from the wheel of tensorflow-cpu 2.21.0.
    const record =
      'tensorflow/include/tensorflow/c/c_api.h,sha256=TM0KmaCDK_-sM-6yomqQBxDVDCElSe-OZr4_kG1b2sU,84261\r\n' +
      '"a,b.py",sha256=abc-_,1\r\nx.dist-info/RECORD,,\r\n';
    const parsed = [
      ['tensorflow/include/tensorflow/c/c_api.h', 'TM0KmaCDK_-sM-6yomqQBxDVDCElSe-OZr4_kG1b2sU'],
      ['a,b.py', 'abc-_'],
    ];
    assert.deepEqual([...parseRecord(record)], parsed);
  });
});
