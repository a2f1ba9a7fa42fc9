import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { awakeTimeout } from '../../common/process/awake.js';
import type { RenderedChart } from './chart-renderer-process.js';
import { writeFontSettings } from './chart-font.js';

const TIME_LIMIT_SECONDS = 60;

/**
 * Draws a chart as PNG in a process of its own: the plotting libraries take some 100 MiB, which a trainer of
 * many days should not keep. The process ends with its work, at the time limit, by the signal, or with us.
 */
export async function renderChart(chart: TopLevelSpec, signal?: AbortSignal): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const scratch = await mkdtemp(join(tmpdir(), 'dcgan-chart-'));
  try {
    const environment = { ...process.env, ...(await writeFontSettings(scratch)) };
    return await renderInChild(chart, environment, signal);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function renderInChild(
  chart: TopLevelSpec,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const limit = awakeTimeout(TIME_LIMIT_SECONDS * 1000);
  const child = fork(new URL('chart-renderer-process.js', import.meta.url), {
    env,
    execArgv: [],
    serialization: 'advanced', // hands the picture over as bytes
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve, reject) => {
    let answer: RenderedChart | undefined;
    child.once('message', (message) => {
      answer = message as RenderedChart;
      child.disconnect();
    });
    // An abort comes as an error.
    child.once('error', (error) => {
      reject(limit.aborted ? new Error(`drawing took more than ${TIME_LIMIT_SECONDS} s`) : error);
    });
    // Not the message but the exit ends the wait: then no process is left.
    child.once('exit', (code, killedBy) => {
      const end = `the process that draws ended with ${killedBy ?? `exit code ${code}`}`;
      if (answer?.picture !== undefined) resolve(answer.picture);
      else reject(new Error(answer?.problem ?? end));
    });
    child.send(chart, (error) => {
      if (error) reject(error);
    });
  });
}
