import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { curveKeyPair } from 'zeromq';
import { UserError } from '../src/common/errors.js';
import { isPrivate, readKeyPair, readPublicKey, secretKeyFile } from '../src/wire/key-file.js';
import { readLinkSecurity, readListenerSecurity } from '../src/wire/key-folder.js';
import { decodeZ85, encodeZ85 } from '../src/wire/z85.js';
import { Program, type Ending } from './support/trainer/program.js';

let folder: string;
let keys: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcgan-keys-'));
  keys = join(folder, 'keys');
});
afterEach(() => rm(folder, { recursive: true }));

const command = (...args: string[]): Promise<Ending> =>
  Program.start('coordinator', ['keys', ...args], { cwd: folder, env: process.env }).ended();

async function expectRefusal(reading: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(
    reading,
    (error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n'),
  );
}

describe('Z85', () => {
  it('is that of RFC 32', () => {
    const bytes = Buffer.from('864fd26fb559f75b', 'hex');
    assert.equal(encodeZ85(bytes), 'HelloWorld');
    assert.deepEqual(decodeZ85('HelloWorld'), bytes);
    assert.deepEqual(decodeZ85(encodeZ85(Buffer.alloc(8, 0xff))), Buffer.alloc(8, 0xff));
  });

  it('is nothing else', () => {
    for (const text of ['Hello Worl', 'Hello', 'HelloWorld1', '#####', '"""""'].filter(
      (each) => each !== 'Hello',
    ))
      assert.equal(decodeZ85(text), undefined, text); // ##### is more than 32 bits
  });
});

describe('a key file', () => {
  const write = async (text: string, mode = 0o600): Promise<string> => {
    const path = join(folder, 'some.key_secret');
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  };

  it('is read as pyzmq writes it', async () => {
    const { publicKey, secretKey } = curveKeyPair();
    const path = await write(
      `#   ****  Generated on 2024-05-17 10:11:12.131415 by pyzmq  ****\n#   ZeroMQ CURVE **Secret** Certificate\n` +
        `#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.\n\nmetadata\ncurve\n` +
        `    public-key = "${publicKey}"\n    secret-key = "${secretKey}"\n`,
    );
    assert.deepEqual(await readKeyPair(path), { publicKey, secretKey });
    assert.equal(await readPublicKey(path), publicKey);
  });

  it('is refused in one line where it is none', async () => {
    const pair = curveKeyPair();
    const text = secretKeyFile(pair);
    await expectRefusal(
      readKeyPair(join(folder, 'no.key_secret')),
      /there is no key \S*no\.key_secret: copy it/,
    );
    for (const broken of [
      '',
      text.replace('curve\n', 'curves\n'),
      text.replace(pair.secretKey, pair.secretKey.slice(1)),
      text.replace(pair.secretKey, `${pair.secretKey.slice(1)}~`),
      text.slice(0, text.indexOf('secret-key')),
    ])
      await expectRefusal(readKeyPair(await write(broken)), /is no key file: it has no secret-key of 40/);
    await expectRefusal(
      readKeyPair(await write(text.replace(pair.publicKey, curveKeyPair().publicKey))),
      /the two keys in \S+ are no pair/,
    );
    execFileSync('mkfifo', [join(folder, 'pipe.key')]);
    await expectRefusal(readPublicKey(join(folder, 'pipe.key')), /pipe\.key/);
  });

  it('with a secret must be unreadable to others', async () => {
    assert.ok(!isPrivate({ mode: 0o100640, uid: 1000 }, 1000));
    // As a mounted secret is: it belongs to root, and the group of the user reads it.
    assert.ok(isPrivate({ mode: 0o100440, uid: 0 }, 1000));
    for (const mode of [0o444, 0o460, 0o450]) assert.ok(!isPrivate({ mode, uid: 0 }, 1000), mode.toString(8));
    for (const mode of [0o640, 0o604, 0o620])
      await expectRefusal(
        readKeyPair(await write(secretKeyFile(curveKeyPair()), mode)),
        /others may read or write the secret key \S+: chmod 600 it/,
      );
  });
});

describe('coordinator keys', () => {
  const modeOf = async (...names: string[]): Promise<number> =>
    (await stat(join(keys, ...names))).mode & 0o777;

  it('makes keys for a coordinator and its workers, and says where they go', async () => {
    const { code, stdout, lines } = await command('keys');
    assert.deepEqual([code, lines], [0, []]);
    assert.match(stdout, /^made the keys of coordinator, worker in keys$/m);
    assert.match(stdout, /^the coordinator's machine needs coordinator\.key_secret and .* --keys keys$/m);
    assert.match(stdout, /^a worker's machine needs coordinator\.key and its own NAME\.key_secret/m);
    assert.match(stdout, /^what reads the metrics from other machines needs http\.token: /m);
    const pairs = ['coordinator.key', 'coordinator.key_secret', 'worker.key', 'worker.key_secret'];
    const files = [...pairs, 'http.token'].sort();
    assert.deepEqual((await readdir(keys)).sort(), files);
    assert.match(await readFile(join(keys, 'http.token'), 'utf8'), /^[0-9a-f]{64}\n$/);
    assert.equal(await modeOf(), 0o700);
    for (const file of files) assert.equal(await modeOf(file), 0o600, file);
    assert.ok(!(await readFile(join(keys, 'worker.key'), 'utf8')).includes('secret-key'));

    const listener = await readListenerSecurity(keys);
    const link = await readLinkSecurity(keys);
    assert.deepEqual([...listener.admitted], [link.publicKey]);
    assert.equal(link.serverKey, (await readKeyPair(join(keys, 'coordinator.key_secret'))).publicKey);
  });

  it("prints them as Secrets, the same each time, in which no worker sees what is the coordinator's", async () => {
    const first = await command('keys', '--kubernetes');
    assert.equal(first.code, 0, first.lines.join('\n'));
    assert.match(first.lines[0], /^made the keys of coordinator, worker in keys$/);
    const again = await command('keys', '--kubernetes');
    assert.deepEqual([again.code, again.lines, again.stdout], [0, [], first.stdout]);
    const { kind, items } = JSON.parse(first.stdout) as {
      kind: string;
      items: { kind: string; metadata: { name: string }; data: Record<string, string> }[];
    };
    assert.deepEqual([kind, ...items.map((item) => item.kind)], ['List', 'Secret', 'Secret']);
    assert.deepEqual(
      items.map(({ metadata: { name }, data }) => [name, Object.keys(data).sort()]),
      [
        ['dcgan-coordinator', ['coordinator.key_secret', 'http.token', 'worker.key']],
        ['dcgan-worker', ['coordinator.key', 'worker.key_secret']],
      ],
    );
    for (const [file, text] of items.flatMap(({ data }) => Object.entries(data)))
      assert.equal(Buffer.from(text, 'base64').toString(), await readFile(join(keys, file), 'utf8'), file);
  });

  it('adds workers, and never writes over a key', async () => {
    assert.equal((await command('keys', '--workers', 'a', 'b')).code, 0);
    const before = await readFile(join(keys, 'coordinator.key_secret'));
    assert.equal((await command('keys', '--workers', 'c')).code, 0);
    assert.deepEqual(await readFile(join(keys, 'coordinator.key_secret')), before);
    assert.equal((await readListenerSecurity(keys)).admitted.size, 3);
    const files = await readdir(keys);

    for (const [args, who] of [
      [['keys', '--workers', 'd', 'b'], 'b'],
      [['keys'], 'coordinator'],
    ] as const) {
      const { code, lines } = await command(...args);
      assert.equal(code, 2);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0], new RegExp(`^coordinator: keys has keys of ${who} already, and they stay: add`));
    }
    assert.deepEqual(await readdir(keys), files);
  });

  it('refuses names and folders that cannot be', async () => {
    await writeFile(join(folder, 'file'), '');
    await mkdir(join(folder, 'open'));
    await chmod(join(folder, 'open'), 0o777);
    for (const [args, line] of [
      [['keys', '--workers', '../a'], /^coordinator: \.\.\/a cannot be a worker's name/],
      [['keys', '--workers', 'coordinator'], /^coordinator: coordinator cannot be a worker's name/],
      [['file'], /^coordinator: cannot make the folder file/],
      [
        ['open'],
        /^coordinator: cannot trust the keys in open: other users can write to \S*\/open \(mode 777\); run chmod/,
      ],
    ] as const) {
      const { code, lines } = await command(...args);
      assert.deepEqual([code, lines.length], [2, 1], lines.join('\n'));
      assert.match(lines[0], line);
    }
    assert.deepEqual((await readdir(folder)).sort(), ['file', 'open']);
  });
});

describe('a folder of keys', () => {
  it('says which worker it is of, or asks', async () => {
    await command('keys', '--workers', 'a', 'b');
    await expectRefusal(
      readLinkSecurity(keys),
      /holds the secret keys of several workers \(a, b\): give --key-name/,
    );
    const own = await readKeyPair(join(keys, 'b.key_secret'));
    assert.equal((await readLinkSecurity(keys, 'b')).publicKey, own.publicKey);
    await expectRefusal(readLinkSecurity(keys, 'c'), /there is no key \S*c\.key_secret/);
  });

  it('is refused where something is missing', async () => {
    await expectRefusal(
      readListenerSecurity(keys),
      /there is no folder \S+: make keys with `coordinator keys/,
    );
    await command('keys');
    const machine = join(folder, 'machine');
    await mkdir(machine, { mode: 0o700 });
    await expectRefusal(readLinkSecurity(machine), /there is no key \S*coordinator\.key: copy/);
    await copyFile(join(keys, 'coordinator.key'), join(machine, 'coordinator.key'));
    await expectRefusal(readLinkSecurity(machine), /no worker has a secret key in/);
    await rm(join(keys, 'worker.key'));
    await expectRefusal(readListenerSecurity(keys), /no worker has a public key in/);
    await chmod(keys, 0o770);
    await expectRefusal(
      readListenerSecurity(keys),
      /cannot trust the keys in \S+: other users can write to \S+ \(mode 770\); run chmod/,
    );
  });
});
