import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Program } from './support/trainer/program.js';

describe('a worker that a coordinator has started', { timeout: 60_000 }, () => {
  it('ends when the coordinator ends at once, before the worker can notice', async () => {
    const child = fork(Program.pathOf('worker'), ['--coordinator', 'ipc:///nobody/listens'], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.send({ secret: '5e'.repeat(32), sockets: undefined });
    child.disconnect();
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
  });
});
