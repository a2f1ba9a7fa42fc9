import { readFile } from 'node:fs/promises';
import type { Page } from '../http/response.js';

/** Files of the page from dist/page. They contain nothing of a run, so they need no token. */
const FILES: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/page.css': 'page.css',
  '/uplot.css': 'uplot.css',
  '/icon.svg': 'icon.svg',
  ...Object.fromEntries(
    [
      'main',
      'api',
      'charts',
      'connection',
      'dom',
      'evaluations',
      'options',
      'samples',
      'status',
      'timeline',
      'token',
      'workers',
    ]
      .concat('uplot', 'eventsource-parser')
      .map((name) => [`/${name}.js`, `${name}.js`]),
  ),
};

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Scripts, styles and data from here alone; blobs are pictures that were fetched with the token. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const PAGE_PATHS: ReadonlySet<string> = new Set(Object.keys(FILES));

/** The page itself. Undefined for other paths. */
export async function pageFile(path: string): Promise<Page | undefined> {
  if (!PAGE_PATHS.has(path)) return undefined;
  const name = FILES[path];
  const body = await readFile(new URL(`../../../page/${name}`, import.meta.url));
  const type = TYPES[name.replace(/^.*\./, '')];
  return { status: 200, type, body, headers: { 'Content-Security-Policy': POLICY } };
}
