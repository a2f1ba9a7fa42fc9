import { open } from 'node:fs/promises';
import type { EvaluationList } from '../page/api.js';
import { codeOf } from '../../common/errors.js';
import type { Site, SiteRequest } from '../http/server.js';
import type { Compute } from '../http/answer-turns.js';
import { compactJson, text, type Page } from '../http/response.js';
import { EventStream, MOST_LISTENERS } from './event-stream.js';
import { pageFile, PAGE_PATHS } from './page-files.js';
import type { RunControl } from './run-control.js';
import type { ShownRun } from './run-view.js';

/** Rows of the curves by default, and at most. */
const POINTS = 2_000;
const MOST_POINTS = 8_192;

/** Resources of a run for the page. */
export const CONTROL_PATHS: ReadonlySet<string> = new Set(['/api/pause', '/api/resume', '/api/stop']);

export interface LiveSiteOptions {
  readonly runs: readonly ShownRun[];
  /** Undefined: nothing but looking on. */
  readonly control?: RunControl | undefined;
  /** Told when it is used. */
  readonly onControl?: (what: 'paused' | 'resumed') => void;
}

/** The page, and what it shows. */
export class LiveSite implements Site {
  readonly paths = [
    '/',
    '/api/run',
    '/api/runs',
    '/api/steps',
    '/api/samples',
    '/api/evaluations',
    '/api/events',
    '/reals.png',
  ];
  readonly open = PAGE_PATHS;
  readonly control = CONTROL_PATHS;
  readonly #stream: EventStream;

  constructor(private readonly options: LiveSiteOptions) {
    this.#stream = new EventStream(options.runs);
  }

  /** Undefined: there is no such thing here. */
  async answer({ path, query, method, lastEventId, compute }: SiteRequest): Promise<Page | undefined> {
    const { runs, control } = this.options;
    if (CONTROL_PATHS.has(path)) return this.#control(path, method);
    if (path === '/api/runs') {
      for (const run of runs) await run.refresh();
      return compute(() =>
        compactJson({ runs: runs.map((run) => run.info()), control: control !== undefined }),
      );
    }
    if (path === '/api/events') return this.#events(lastEventId, compute);
    const page = await pageFile(path);
    if (page) return page;

    const run = runs.at(wholeIn(query, 'run', 0, runs.length - 1) ?? runs.length);
    if (!run) return undefined;
    switch (path) {
      case '/api/run':
        await run.refresh();
        return compute(() => compactJson(run.info()));
      case '/api/steps': {
        const points = wholeIn(query, 'points', POINTS, MOST_POINTS);
        if (points === undefined || points < 4) return text(400, `points are 4 to ${MOST_POINTS}`);
        await run.refresh();
        return compute(() => compactJson(run.files?.columns(points) ?? { steps: [], measures: {}, last: 0 }));
      }
      case '/api/samples':
        await run.refresh();
        return compute(() => compactJson({ steps: run.files?.samples ?? [] }));
      case '/api/evaluations':
        await run.refresh();
        return compute(() =>
          compactJson({ evaluations: run.files?.evaluations ?? [] } satisfies EvaluationList),
        );
      default:
        return this.#picture(run, path);
    }
  }

  async close(): Promise<void> {
    await this.#stream.close();
  }

  #events(lastEventId: string | undefined, compute: Compute): Page {
    if (this.#stream.isFull) return text(503, `${MOST_LISTENERS} pages are open: close one`);
    return {
      status: 200,
      type: 'text/event-stream; charset=utf-8',
      body: '',
      stream: (response) => {
        this.#stream.listen(response, lastEventId, compute);
      },
    };
  }

  #control(path: string, method: string): Page {
    const { control, onControl } = this.options;
    if (method !== 'POST') return text(405, 'only POST', { Allow: 'POST' });
    if (!control)
      return text(403, 'a run is paused and stopped by who has its token: give it one with --http-token');
    switch (path) {
      case '/api/pause':
        if (control.pause()) onControl?.('paused');
        break;
      case '/api/resume':
        if (control.resume()) onControl?.('resumed');
        break;
      default:
        control.stop();
    }
    return compactJson({ paused: control.isPaused, stopping: control.isStopping });
  }

  /** No part of the path becomes one of a file's: a number is all that is taken of it. */
  async #picture({ files }: ShownRun, path: string): Promise<Page | undefined> {
    if (!files) return undefined;
    const step = /^\/samples\/step-(?<step>\d{6,15})\.png$/.exec(path)?.groups?.['step'];
    if (path !== '/reals.png' && step === undefined) return undefined;
    const file = step === undefined ? files.folder.realsPicture : files.folder.samplePicture(Number(step));
    try {
      const opened = await open(file);
      const { size: length } = await opened.stat();
      return { status: 200, type: 'image/png', body: { length, content: opened.createReadStream() } };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Undefined unless a whole number up to `most`. */
function wholeIn(query: URLSearchParams, name: string, otherwise: number, most: number): number | undefined {
  const value = query.get(name);
  if (value === null) return otherwise;
  return /^\d{1,6}$/.test(value) && Number(value) <= most ? Number(value) : undefined;
}
