import type { Site } from '../../src/monitoring/http/server.js';

/** A site of these texts, by path. */
export function siteOf(texts: Readonly<Record<string, string>>): Site {
  return {
    paths: Object.keys(texts),
    open: new Set(),
    control: new Set(),
    answer: ({ path }) =>
      Promise.resolve(
        path in texts ? { status: 200, type: 'text/plain; charset=utf-8', body: texts[path] } : undefined,
      ),
    close: () => Promise.resolve(),
  };
}
