import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ExternalRun } from './support/trainer/external-run.js';
import { childrenOf, isAlive, workersOf } from './support/trainer/processes.js';
import { Program } from './support/trainer/program.js';
import { readStats, readTensors, stepsDone } from './support/trainer/run-results.js';
import { Terminal } from './support/trainer/terminal.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COORDINATOR = Program.pathOf('coordinator');

describe('a run whose output has nowhere to go', { concurrency: 2 }, () => {
  let workplace: Workplace;
  const terminals: Terminal[] = [];
  before(async () => {
    workplace = await Workplace.make();
  });
  after(async () => {
    await Promise.all(terminals.map((terminal) => terminal.remove()));
    await workplace.remove();
  });

  /** Waits until the run has done some steps more than it has now. */
  async function trains(run: string, more = 20): Promise<void> {
    const from = await stepsDone(run);
    await until(`${more} steps more`, async () => (await stepsDone(run)) >= from + more);
  }

  /** Fails unless the only checkpoint is that of the last step. */
  async function expectCheckpoint(run: string): Promise<void> {
    const [file, ...others] = await readdir(`${run}/checkpoints`);
    assert.deepEqual(others, []);
    const { metadata } = await readTensors(`${run}/checkpoints/${file}`);
    assert.equal(metadata['step'], String((await readStats(run)).length));
  }

  function allGone(pids: readonly number[]): Promise<unknown> {
    return until(`${pids.join(', ')} to be gone`, () => !pids.some(isAlive));
  }

  it('goes on after its reader, and ends in order at Ctrl-C', async () => {
    const run = workplace.path('no-reader');
    const program = workplace.start(workplace.training(run, [...ENDLESS, '--workers', '2']));
    await program.line(/^training in/);
    program.stopReading();
    await trains(run);
    // So that there is something to say.
    const lost = workersOf(program.pid)[0];
    process.kill(lost, 'SIGKILL');
    await until('the loss', async () => (await readFile(`${run}/events.jsonl`, 'utf8')).includes('SIGKILL'));
    await trains(run);
    program.signalGroup('SIGINT');
    assert.equal((await program.ended()).code, 0);
    await expectCheckpoint(run);
  });

  it('goes on with a full disk below its log', async () => {
    const run = workplace.path('full');
    const args = workplace.training(run, ['--single-node', '--steps', '6', '--log', 'json']);
    const full = ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh', process.execPath, COORDINATOR, ...args];
    const { code } = await workplace.add(Program.run(full, workplace.place())).ended();
    assert.equal(code, 0);
    assert.equal((await readStats(run)).length, 6);
    await expectCheckpoint(run);
  });

  it('ends in order when its terminal closes', async () => {
    const run = workplace.path('closed');
    const args = workplace.training(run, [...ENDLESS, '--workers', '2']);
    const terminal = await Terminal.start([process.execPath, COORDINATOR, ...args], workplace.place());
    terminals.push(terminal);
    await trains(run);
    const children = childrenOf(terminal.pid);
    assert.equal(workersOf(terminal.pid).length, 2);
    terminal.close();
    assert.equal(await terminal.ended(), 0);
    await expectCheckpoint(run);
    await allGone(children);
  });

  it('goes on under nohup when its terminal closes', async () => {
    const run = workplace.path('nohup');
    const args = workplace.training(run, [...ENDLESS, '--workers', '2']);
    const command = ['nohup', process.execPath, COORDINATOR, ...args];
    const terminal = await Terminal.start(command, workplace.place());
    terminals.push(terminal);
    await trains(run);
    const workers = workersOf(terminal.pid);
    terminal.close();
    await trains(run, 50);
    assert.deepEqual(workersOf(terminal.pid), workers);
    process.kill(terminal.pid, 'SIGTERM');
    assert.equal(await terminal.ended(), 0);
    await expectCheckpoint(run);
  });

  it('goes on when a terminal closes that its output never went to', async () => {
    const run = workplace.path('elsewhere');
    const args = workplace.training(run, [...ENDLESS, '--workers', '2']);
    const command = ['sh', '-c', 'exec "$@" > log 2>&1', 'sh', process.execPath, COORDINATOR, ...args];
    const terminal = await Terminal.start(command, workplace.place());
    terminals.push(terminal);
    await trains(run);
    terminal.close();
    await trains(run, 50);
    process.kill(terminal.pid, 'SIGTERM');
    assert.equal(await terminal.ended(), 0);
    await expectCheckpoint(run);
  });

  it('loses no worker from elsewhere whose log nobody reads', async () => {
    const options = [...ENDLESS, '--workers', '1', '--checkpoint-every', '5'];
    const first = await ExternalRun.start(workplace, 'external', options);
    const worker = workplace.startWorker(['--coordinator', first.address]);
    await first.ready(1);
    worker.stopReading();
    const run = workplace.path('external');
    await until('a checkpoint', async () => {
      const names = await readdir(`${run}/checkpoints`).catch(() => []);
      return names.some((name) => name.endsWith('.safetensors'));
    });
    await first.program.kill();
    const second = first.resumed(workplace, 'external');
    // With its worker.
    await second.program.line(/^resuming in/);
    second.program.signal('SIGTERM');
    assert.equal((await second.program.ended()).code, 0);
    assert.equal((await worker.ended()).code, 0);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    it(`ends in order when npm gets ${signal}`, async () => {
      const run = workplace.path(`npm-${signal}`);
      const args = workplace.training(run, [...ENDLESS, '--workers', '2']);
      const { env } = workplace.place();
      const npm = spawn('npm', ['start', '--', ...args], { cwd: ROOT, env, stdio: 'ignore', detached: true });
      const ended = once(npm, 'exit');
      const group = npm.pid ?? NaN;
      try {
        await trains(run);
        const below = descendantsOf(group);
        assert.ok(below.length >= 3, 'the trainer and two workers');
        npm.kill(signal);
        const [code] = (await ended) as [number | null];
        assert.equal(code, signal === 'SIGTERM' ? 0 : null);
        await allGone(below);
        await expectCheckpoint(run);
      } finally {
        if (npm.exitCode === null && npm.signalCode === null) process.kill(-group, 'SIGKILL');
      }
    });

  it('ends with one line where the address space is too small, whatever is open then', async () => {
    const args = workplace.training(workplace.path('small'), ['--workers', '2', '--steps', '2']);
    const limited = [
      'sh',
      '-c',
      'ulimit -v 6291456; exec "$@"',
      'sh',
      process.execPath,
      COORDINATOR,
      ...args,
    ];
    const program = workplace.add(Program.run(limited, workplace.place()));
    const { code, lines } = await program.ended();
    assert.equal(code, 1, lines.join('\n'));
    assert.match(lines[lines.length - 1], /^coordinator: /);
  });
});

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}
