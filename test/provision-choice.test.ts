import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { isRecent } from '../src/engine/provision/failure-record.js';
import { ProvisionFailure, toFailure } from '../src/engine/provision/failure.js';
import { hasGpuDriver } from '../src/engine/provision/machine.js';
import { downloadArguments, explain, installArguments } from '../src/engine/provision/pip.js';
import { manylinuxTags, targetsOf, type Machine } from '../src/engine/provision/target.js';
import { isLeftover } from '../src/engine/provision/work-folder.js';

const debian: Machine = { platform: 'linux', architecture: 'x64', glibc: '2.36', gpuDriver: false };
const requirements = (machine: Machine): string[] => targetsOf(machine).map(({ requirement }) => requirement);

describe('which wheel a machine gets', () => {
  it('the CPU build without a GPU driver', () => {
    assert.deepEqual(requirements(debian), ['tensorflow-cpu==2.21.0']);
  });
  it('the GPU build with one, and the CPU build should that fail', () => {
    const wanted = ['tensorflow[and-cuda]==2.21.0', 'tensorflow-cpu==2.21.0'];
    assert.deepEqual(requirements({ ...debian, gpuDriver: true }), wanted);
  });
  it('on arm64 the only one there is, also with a GPU', () => {
    const machine = { ...debian, architecture: 'arm64', gpuDriver: true };
    assert.deepEqual(requirements(machine), ['tensorflow==2.21.0']);
    assert(targetsOf(machine)[0]?.platforms.every((tag) => tag.endsWith('_aarch64')));
  });
  it('none on Alpine, macOS, Windows and 32-bit machines', () => {
    const others = [
      { glibc: undefined },
      { platform: 'darwin' },
      { platform: 'win32' },
      { architecture: 'arm' },
    ];
    for (const other of others) assert.deepEqual(requirements({ ...debian, ...other }), []);
  });
  it('tagged for its C library or an older one, 2.17 being called 2014', () => {
    const tags = [
      'manylinux_2_19_x86_64',
      'manylinux_2_18_x86_64',
      'manylinux_2_17_x86_64',
      'manylinux2014_x86_64',
    ];
    assert.deepEqual(manylinuxTags('2.19', 'x86_64'), tags);
    // The tag of TensorFlow's own wheel.
    assert(manylinuxTags('2.28', 'x86_64').includes('manylinux_2_27_x86_64'));
  });
});

describe('what pip is asked', () => {
  it('one wheel as a file for the CPU, chosen for the machine and not for its Python', () => {
    const [cpu] = targetsOf({ ...debian, glibc: '2.17' });
    assert(cpu);
    assert.equal(
      downloadArguments(cpu, '/made').join(' '),
      'download --no-deps --only-binary=:all: --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 ' +
        '--python-version 3.12 --implementation cp --retries 1 --timeout 15 ' +
        '--disable-pip-version-check --no-input --dest /made tensorflow-cpu==2.21.0',
    );
  });
  it('the wheel with the libraries it depends on, unpacked, for the GPU', () => {
    const [gpu] = targetsOf({ ...debian, gpuDriver: true });
    assert(gpu);
    const asked = installArguments(gpu, '/made');
    assert.equal(asked[0], 'install');
    assert(!asked.includes('--no-deps'));
    assert.deepEqual(asked.slice(-3), ['--target', '/made', 'tensorflow[and-cuda]==2.21.0']);
  });
  it('and its answer is put in one plain clause', () => {
    const offline =
      "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError(" +
      "'<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f3e29698ed0>: Failed to establish a new " +
      "connection: [Errno -2] Name or service not known')': /simple/tensorflow-cpu/\n" +
      'ERROR: No matching distribution found for tensorflow-cpu==2.21.0\n';
    const plain = 'no connection: Failed to establish a new connection: [Errno -2] Name or service not known';
    assert.equal(explain(offline), plain);
    assert.equal(
      explain('ERROR: No matching distribution found for x\n\n'),
      'No matching distribution found for x',
    );
    assert.equal(explain(''), 'no message');
  });
});

describe('a GPU driver', () => {
  const machineWith =
    (...files: string[]) =>
    (path: string): boolean =>
      files.includes(path);

  it('is known by its device, its module, or its tool on the PATH', () => {
    for (const file of ['/dev/nvidiactl', '/proc/driver/nvidia/version', '/usr/bin/nvidia-smi']) {
      assert(hasGpuDriver(machineWith(file), '/bin:/usr/bin'), file);
    }
  });
  it('is not there where none of them is', () => {
    assert(!hasGpuDriver(machineWith('/opt/nvidia-smi', 'nvidia-smi'), '/bin::/usr/bin'));
  });
});

describe('a failed installation', () => {
  const failure = new ProvisionFailure('no connection', 'connect', 1000);

  it('is not tried again before its time, but is with a clock set back', () => {
    const record = { failure, at: 5000, host: hostname() };
    assert(isRecent(record, 5999));
    assert(!isRecent(record, 6000));
    assert(!isRecent(record, 4999));
  });
  it('does not keep another machine with the same cache from trying', () => {
    assert(!isRecent({ failure, at: 5000, host: `not-${hostname()}` }, 5999));
  });
  it('for want of space says so, whichever tool ran out of it', () => {
    const node = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const pip = new ProvisionFailure('pip failed (OSError: [Errno 28] No space left on device)', 'look');
    for (const error of [node, pip])
      assert.equal(toFailure(error, '/c').reason, 'the disk of the cache folder /c is full');
  });
  it('leaves a folder that is removed when its maker is dead, or after a day if another machine made it', () => {
    const alive = (processId: number): boolean => processId === 7;
    const day = 24 * 60 * 60 * 1000;
    assert(!isLeftover('.partial-node-1-7-aB3xYz', 2 * day, 'node-1', alive));
    assert(isLeftover('.partial-node-1-8-aB3xYz', 0, 'node-1', alive));
    assert(!isLeftover('.partial-node-2-8-aB3xYz', day, 'node-1', alive));
    assert(isLeftover('.partial-node-2-8-aB3xYz', day + 1, 'node-1', alive));
  });
});
