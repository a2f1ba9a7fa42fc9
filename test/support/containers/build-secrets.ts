import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './run-command.js';

/** In each secret, to be looked for in the image. */
export interface BuildSecrets {
  readonly mark: string;
  /** For the build's command line. */
  readonly options: readonly string[];
}

const LIMIT = 30_000;

/** This machine's settings of npm, pip and TLS, as files in a folder: what the build is told as secrets. */
export async function buildSecrets(folder: string): Promise<BuildSecrets> {
  const mark = `mark-${randomUUID()}`;
  const files: Record<string, string> = {
    npm: `; ${mark}\n${await npmSettings()}`,
    pip: `# ${mark}\n${await pipSettings()}`,
  };
  const authorities = process.env['NODE_EXTRA_CA_CERTS'] ?? process.env['SSL_CERT_FILE'];
  if (authorities !== undefined) files['ca'] = `# ${mark}\n${await readFile(authorities, 'utf8')}`;
  const options: string[] = [];
  for (const [id, content] of Object.entries(files)) {
    const file = join(folder, `secret-${id}`);
    await writeFile(file, content, { mode: 0o600 });
    options.push('--secret', `id=${id},src=${file}`);
  }
  return { mark, options };
}

async function npmSettings(): Promise<string> {
  const get = async (name: string): Promise<string> =>
    (await mustRun(['npm', 'config', 'get', name], { limit: LIMIT })).trim();
  const own = await readFile(await get('userconfig'), 'utf8').catch(() => '');
  return `${own}\nregistry=${await get('registry')}\n`;
}

/** What says where packages are, from pip's files and from the environment alike. */
async function pipSettings(): Promise<string> {
  const list = await mustRun(['python3', '-m', 'pip', 'config', 'list'], { limit: LIMIT });
  const settings = new Map<string, string>();
  for (const line of list.split('\n')) {
    const groups = /^(?:global|:env:)\.(?<name>[\w-]+)='(?<value>.*)'$/.exec(line)?.groups;
    if (groups && /^(index-url|extra-index-url|trusted-host|cert|proxy)$/.test(groups['name']))
      settings.set(groups['name'], groups['value'].replaceAll('\\n', '\n    '));
  }
  // The build puts this machine's authorities where Debian has its own.
  if (settings.has('cert')) settings.set('cert', '/etc/ssl/certs/ca-certificates.crt');
  return `[global]\n${[...settings].map(([name, value]) => `${name} = ${value}\n`).join('')}`;
}
