import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { cacheFolder } from '../src/common/files/cache-folder.js';
import { UserError } from '../src/common/errors.js';
import { packPath, sweep } from '../src/data/pack/pack-cache.js';
import { isPackOf } from '../src/data/pack/pack-check.js';
import { Faces, faceBytes, PackWriter } from '../src/data/index.js';

/** Two users of the machine; no account needs these numbers. */
const [ALICE, BOB] = [54_321, 54_322];
const DAY = 24 * 60 * 60 * 1000;

const isRoot = process.geteuid?.() === 0;
const skip = isRoot ? false : 'only root can act as other users';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-sharing-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true }));

/** Does the work with the rights of another user. */
function as<T>(user: number, work: () => T): T {
  process.seteuid?.(user);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

function makeShared(name: string): string {
  const shared = join(folder, name);
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  return shared;
}

const cacheOf = (user: number, shared: string): string =>
  as(user, () => cacheFolder({ DCGAN_CACHE: shared }));

describe('a cache folder that all users may write to', () => {
  it('has a part for each, closed to the others', { skip }, () => {
    const shared = makeShared('shared');
    for (const user of [ALICE, BOB, ALICE]) {
      const part = cacheOf(user, shared);
      assert.equal(part, join(shared, `user-${user}`));
      const { uid, mode } = statSync(part);
      assert.deepEqual([uid, mode & 0o777], [user, 0o700]);
    }
  });

  it('is not used through a folder that another user has put there', { skip }, () => {
    const shared = makeShared('shared');
    as(BOB, () => {
      mkdirSync(join(shared, `user-${ALICE}`));
    });
    assert.throws(
      () => cacheOf(ALICE, shared),
      (error) => error instanceof UserError && /belongs to another user.*DCGAN_CACHE/.test(error.message),
    );
  });

  it('is used as it is by its only user', () => {
    const own = join(folder, 'own');
    for (let call = 0; call < 2; call++) assert.equal(cacheFolder({ DCGAN_CACHE: own }), own);
    assert.equal(statSync(own).mode & 0o022, 0);
  });
});

describe("another user's files in a folder of the cache", () => {
  it('stay, old as they are, and end nothing', { skip }, () => {
    const cache = makeShared('cache');
    const faces = join(cache, 'faces');
    mkdirSync(faces);
    chmodSync(faces, 0o1777);
    const longAgo = new Date(Date.now() - 31 * DAY);
    const names = [`${'ab'.repeat(32)}.pack`, 'note.json', 'half.tmp'];
    for (const name of names) {
      writeFileSync(join(faces, name), 'text');
      chownSync(join(faces, name), BOB, BOB);
      utimesSync(join(faces, name), longAgo, longAgo);
    }
    as(ALICE, () => {
      writeFileSync(join(faces, 'own.tmp'), '');
      utimesSync(join(faces, 'own.tmp'), longAgo, longAgo);
      sweep(cache);
    });
    assert.deepEqual(readdirSync(faces).sort(), names.sort());
  });

  it('are read where they may be, and taken for what they hold', { skip }, async () => {
    const cache = makeShared('cache');
    mkdirSync(join(cache, 'faces'));
    const write = async (value: number): Promise<string> => {
      const temporary = join(cache, 'faces/new');
      const writer = await PackWriter.create((header) => packPath(cache, header.fingerprint), {
        size: 4,
        temporary,
      });
      await writer.write(new Uint8Array(faceBytes(4)).fill(value));
      const { fingerprint, path } = await writer.finish();
      chownSync(path, BOB, BOB);
      return fingerprint;
    };
    const [black, white] = [await write(0), await write(255)];
    assert.ok(existsSync(packPath(cache, white)));
    as(ALICE, () => {
      Faces.open(packPath(cache, white)).close(); // Its time of use cannot be noted.
    });
    assert.ok(await isPackOf(packPath(cache, white), white));
    assert.ok(!(await isPackOf(packPath(cache, white), black)));
  });
});
