import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Deferred } from '../src/common/deferred.js';
import { CheckpointWriter } from '../src/run/checkpoint/checkpoint-writer.js';
import { Checkpoint } from '../src/run/checkpoint/checkpoint.js';
import { CopyLost, type StateCopy } from '../src/model/state-source.js';
import { RunFolder } from '../src/run/run-directory.js';
import { modelLayout } from '../src/model/layout.js';
import { stateLayout } from '../src/model/state.js';
import { bytesOf } from '../src/common/bytes.js';
import { SMALL_TRAINING } from './support/small-model.js';

const { length } = stateLayout(modelLayout(SMALL_TRAINING));

/** A state of one number, whose copies are read when the test lets them be. */
class Copies {
  value = 0;
  taken = 0;
  readonly reading: Deferred<void>[] = [];

  copyState(): Promise<StateCopy> {
    const copied = new Float32Array(length).fill(this.value);
    const gate = new Deferred<void>();
    this.reading.push(gate);
    this.taken++;
    return Promise.resolve({
      read: async (take) => {
        await gate.promise;
        await take(bytesOf(copied), 0);
      },
    });
  }
}

describe('checkpoints while training goes on', () => {
  let folder: string;
  let run: RunFolder;
  let copies: Copies;
  let writer: CheckpointWriter;
  let told: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    run = await RunFolder.create(join(folder, 'run'));
    copies = new Copies();
    told = [];
    writer = new CheckpointWriter({
      ...{ run, group: copies, training: SMALL_TRAINING, keep: 2 },
      log: {
        sync: () => {
          told.push('log synced');
          return Promise.resolve();
        },
      },
      onWritten: (step) => told.push(`step ${step} written`),
    });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const facts = (step: number) => ({ step, epoch: 1, engine: 'none', datasetFingerprint: '' });
  const names = async (): Promise<string[]> => (await readdir(run.checkpoints)).sort();

  /** The number that a checkpoint's state is made of. */
  async function valueIn(step: number): Promise<number> {
    const checkpoint = await Checkpoint.open(run.checkpointFile(step), SMALL_TRAINING);
    const bytes = Buffer.from(await checkpoint.read(checkpoint.bytes - 4, 4));
    await checkpoint.close();
    return bytes.readFloatLE();
  }

  it('hold the state as it was when they began, and are told when they are in their place', async () => {
    copies.value = 5;
    await writer.begin(facts(5));
    copies.value = 6;
    assert.equal(writer.last, undefined);
    copies.reading[0].resolve();
    await writer.finish(facts(5));
    assert.equal(await valueIn(5), 5);
    assert.deepEqual(writer.last, { path: run.checkpointFile(5), step: 5 });
    assert.deepEqual(told, ['log synced', 'step 5 written']);
    assert.equal(copies.taken, 1);
  });

  it('are written one at a time, and the newest are kept', async () => {
    await writer.begin(facts(1));
    const second = writer.begin(facts(2));
    await new Promise(setImmediate);
    assert.equal(copies.taken, 1, 'no second copy before the first is written');
    copies.reading[0].resolve();
    await second;
    assert.deepEqual(told, ['log synced', 'step 1 written', 'log synced']);
    copies.reading[1].resolve();
    const third = writer.finish(facts(3));
    const opened = third.then(() => true);
    while (copies.reading.length < 3) await new Promise(setImmediate);
    copies.reading[2].resolve();
    assert.ok(await opened);
    assert.deepEqual(await names(), ['step-000002.safetensors', 'step-000003.safetensors']);
  });

  it('are taken again after the next step where the copy is lost', async () => {
    await writer.begin(facts(5));
    copies.reading[0].reject(new CopyLost('worker 1 was lost'));
    while (!writer.owed) await new Promise(setImmediate);
    writer.check();
    copies.value = 6;
    await writer.begin(facts(6));
    assert.equal(writer.owed, false);
    copies.reading[1].resolve();
    await writer.finish(facts(6));
    assert.deepEqual(await names(), ['step-000006.safetensors']);
    assert.equal(await valueIn(6), 6);
  });

  it('are tried a few times at the end, where there is no next step', async () => {
    const copyState = copies.copyState.bind(copies);
    copies.copyState = async () => {
      const copy = await copyState();
      copies.reading.at(-1)?.reject(new CopyLost('gone again'));
      return copy;
    };
    await assert.rejects(writer.finish(facts(9)), CopyLost);
    assert.equal(copies.taken, 5);
    assert.deepEqual(await names(), []);
  });

  it('that cannot be written end the run at the next step, and leave nothing', async () => {
    await writer.begin(facts(5));
    copies.reading[0].reject(new Error('the disk is full'));
    await writer.giveUp();
    assert.throws(() => {
      writer.check();
    }, /the disk is full/);
    await assert.rejects(writer.begin(facts(6)), /the disk is full/);
    assert.deepEqual(await names(), []);
    assert.equal(writer.last, undefined);
  });

  it('are given up where the copy is not handed over, and others may follow', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await writer.begin(facts(5));
    // Its file is open and waits.
    while ((await names()).length === 0) await new Promise(setImmediate);
    const givenUp = writer.giveUp();
    t.mock.timers.tick(10_000);
    await givenUp;
    writer.check();
    assert.deepEqual(await names(), []);
    await writer.begin(facts(6));
    copies.reading[1].resolve();
    await writer.finish(facts(6));
    assert.deepEqual(await names(), ['step-000006.safetensors']);
  });
});
