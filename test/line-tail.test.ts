import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { LineTail } from '../src/monitoring/live/line-tail.js';

/** Of another length than its neighbours, so that lines of two files seldom end at the same byte. */
const lineOf = (number: number): string => JSON.stringify({ number, text: 'é'.repeat(number % 37) });
const linesOf = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${lineOf(from + i)}\n`).join('');

describe('the tail of a file of lines', () => {
  let folder: string;
  let path: string;
  let tail: LineTail;
  let taken: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-tail-'));
    path = join(folder, 'lines');
    tail = new LineTail(path);
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What a look says of the file; what is new in it is in `taken`. */
  const look = (): Promise<boolean> => {
    taken = [];
    return tail.read((text) => taken.push(text));
  };

  it('is what came since the last look, in whole lines', async () => {
    assert.deepEqual([await look(), taken], [true, []], 'no file yet');
    await writeFile(path, `${lineOf(1)}\n${lineOf(2)}\n${lineOf(3).slice(0, 9)}`);
    assert.deepEqual([await look(), taken], [true, [lineOf(1), lineOf(2)]]);
    assert.deepEqual([await look(), taken], [true, []]);
    await appendFile(path, `${lineOf(3).slice(9)}\n\n`);
    assert.deepEqual([await look(), taken], [true, [lineOf(3), '']]);
    await appendFile(path, `${lineOf(4)}\n`);
    assert.deepEqual([await look(), taken], [true, [lineOf(4)]]);
  });

  it('begins anew in another file, be it longer or shorter, and whatever number it has', async () => {
    // Written over, it keeps its number in the file system, which a new file may be given too.
    for (const other of [linesOf(6, 40), linesOf(6, 10), lineOf(6), '', undefined]) {
      await writeFile(path, linesOf(1, 10));
      tail.rewind();
      assert.deepEqual([await look(), taken.length], [true, 10]);
      if (other === undefined) await rm(path);
      else await writeFile(path, other);
      assert.deepEqual([await look(), taken], [false, []], other);
      tail.rewind();
      assert.equal(await look(), true);
      assert.deepEqual(taken, other?.split('\n').slice(0, -1) ?? []);
    }
  });

  it('has no part of a line, and in the end every line, at whatever moment the file is replaced', async (t) => {
    keepPoolBusy(t);
    let first = 1;
    await writeFile(path, linesOf(1, 40));
    for (let delay = 0; delay < 20; delay += 2) {
      while (!(await look())) tail.rewind();
      await appendFile(path, `${lineOf(first + 40)}\n`);
      const replaced = new Promise<void>((resolve) =>
        setTimeout(() => {
          first += 10;
          writeFileSync(`${path}.new`, linesOf(first, first + 39));
          renameSync(`${path}.new`, path);
          resolve();
        }, delay),
      );
      const seen: string[] = [];
      for (const wait of [undefined, replaced]) {
        await wait;
        if (!(await look())) {
          tail.rewind();
          await look();
        }
        seen.push(...taken);
      }
      const written = new Set(linesOf(first - 10, first + 39).split('\n'));
      assert.deepEqual(
        seen.filter((text) => !written.has(text)),
        [],
        `replaced after ${delay} ms`,
      );
      for (let number = first + 30; number < first + 40; number++)
        assert.ok(seen.includes(lineOf(number)), `line ${number}, replaced after ${delay} ms`);
    }
  });
});

/** Gives Node's four threads for files other work to do, as a loaded machine does: each operation takes some milliseconds. */
function keepPoolBusy(t: TestContext): void {
  let isOver = false;
  t.after(() => (isOver = true));
  const work = (): void => {
    pbkdf2('password', 'salt', 3_000, 64, 'sha512', () => {
      if (!isOver) work();
    });
  };
  for (let i = 0; i < 8; i++) work();
}
