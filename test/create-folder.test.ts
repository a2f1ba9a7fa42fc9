import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFolder } from '../src/common/files/create-folder.js';

describe('a folder that is created', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'dcgan-test-'));
  });
  afterEach(() => {
    rmSync(base, { recursive: true });
  });

  it('gets its missing parents and its mode, and may exist', () => {
    const path = join(base, 'a/b/c');
    createFolder(path, 0o700);
    createFolder(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
  });

  it('replaces no file', () => {
    writeFileSync(join(base, 'file'), '');
    assert.throws(() => {
      createFolder(join(base, 'file'));
    }, /EEXIST/);
    assert.throws(() => {
      createFolder(join(base, 'file/below'));
    }, /ENOTDIR/);
  });

  it('fails below /proc, where no folder can be created', { skip: process.platform !== 'linux' }, () => {
    // Node's recursive mkdir does not return from there.
    assert.throws(() => {
      createFolder('/proc/dcgan/runs');
    }, /ENOENT.*'\/proc\/dcgan'/);
  });
});
