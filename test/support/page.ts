import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { delimiter, extname, join, normalize } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

/** In milliseconds: a browser on a busy machine. */
const LIMIT = 60_000;

/** What Debian and others call it. */
const CHROMIUMS = ['chromium', 'chromium-browser', 'google-chrome'];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
};

/** Throws one line where there is none: these tests are never skipped. */
function findChromium(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = CHROMIUMS.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (found === undefined) throw new Error("there is no chromium here: install Debian's package chromium");
  return found;
}

/** A browser, and a server on loopback that hands out a folder. Close it. */
export class ServedPage {
  private constructor(
    readonly page: Page,
    private readonly browser: Browser,
    private readonly server: Server,
    private readonly address: string,
    /** What went wrong in the page. */
    readonly problems: readonly string[],
  ) {}

  static async open(folder: string): Promise<ServedPage> {
    const executablePath = findChromium();
    const server = createServer((request, response) => {
      const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
      readFile(join(folder, path)).then(
        (bytes) =>
          response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    let browser: Browser | undefined;
    try {
      // Its sandbox does not work for root, as which a container runs; the page is our own.
      browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: LIMIT });
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT);
      const problems: string[] = [];
      page.on('pageerror', ({ message }) => problems.push(message));
      const { port } = server.address() as AddressInfo;
      return new ServedPage(page, browser, server, `http://127.0.0.1:${port}`, problems);
    } catch (error) {
      await browser?.close();
      server.close();
      throw error;
    }
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(`${this.address}/${path}`, { timeout: LIMIT });
  }

  /** The value of an expression in the page. */
  evaluate<Value>(expression: string): Promise<Value> {
    return this.page.evaluate<Value>(expression);
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
