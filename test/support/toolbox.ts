import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { nodeHeadersFolder } from '../../src/engine/provision/binding-source.js';
import type { Provisioned } from '../../src/engine/provision/index.js';
import { smallWheel } from './small-wheel.js';

// Not install.js itself, which would link our clone's tfjs-node to the binding made here.
const installer = `
  import { provisionEngine } from '${new URL('../../src/engine/provision/index.js', import.meta.url).href}';
  const force = process.argv.includes('--retry');
  const flavour = process.argv.includes('--gpu') ? 'gpu' : undefined;
  const found = await provisionEngine({ cache: process.env.DCGAN_CACHE, log: console.error, force, flavour });
  console.log(JSON.stringify(found));`;

export interface Installation {
  readonly code: number | null;
  /** What it told the user. */
  readonly said: string;
  /** What provisionEngine() returned. */
  readonly found: Provisioned | undefined;
}

export interface InstallOptions {
  readonly retry?: boolean;
  /** The engine for GPUs, whatever this machine has. */
  readonly gpu?: boolean;
  /** Its folder, where that is not in the cache. */
  readonly engine?: string;
  /** Words at which it is killed. */
  readonly killAt?: string;
}

/** The least that passes for tfjs-node's binding: it loads and says the version. */
const BINDING = `
  #include <node_api.h>
  NAPI_MODULE_INIT() {
    napi_value version;
    napi_create_string_latin1(env, "2.21.0", NAPI_AUTO_LENGTH, &version);
    napi_set_named_property(env, exports, "TF_Version", version);
    return exports;
  }`;

/**
 * The installer in a place of its own: a cache, a PATH on which only our stand-ins are, and a pip that brings a
 * small wheel instead of 274 MB. What the compiler stand-in makes is a real binding, by the real compiler.
 */
export class Toolbox {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Toolbox> {
    const toolbox = new Toolbox(await mkdtemp(join(tmpdir(), 'dcgan-provision-')));
    await mkdir(join(toolbox.folder, 'bin'));
    await writeFile(join(toolbox.folder, 'small.whl'), smallWheel());
    await writeFile(join(toolbox.folder, 'binding.cc'), BINDING);
    await symlink(process.execPath, join(toolbox.folder, 'bin/node'));
    await toolbox.addPip('cp "$box/small.whl" "$5/tensorflow_cpu-2.21.0-cp312.whl"');
    return toolbox;
  }

  get cache(): string {
    return join(this.folder, 'cache');
  }

  /** A pip that does this when it is to download the CPU wheel; $5 is the folder. It notes each download. */
  async addPip(download: string): Promise<void> {
    const find = 'while [ "$1" != --dest ]; do shift; done; folder="$2"; /bin/mkdir -p "$folder"';
    const script = [
      `case "$3" in --version) exit 0;; download) ;; *) exit 1;; esac`,
      'echo download >> "$box/downloads"',
      find,
      'set -- 1 2 3 4 "$folder"',
      download,
    ];
    await this.addScript('python3', script.join('\n'));
  }

  async addCompiler(): Promise<void> {
    const compile = `g++ -shared -fPIC -I '${nodeHeadersFolder()}' "$box/binding.cc" -o "$output"`;
    const script = [
      'case "$1" in --version) exit 0;; esac',
      'while [ "$1" != -o ]; do shift; done; output="$2"',
      `PATH='${process.env['PATH'] ?? ''}' exec ${compile}`,
    ];
    await this.addScript('g++', script.join('\n'));
  }

  /** Runs the installer to its end, or kills it and its tools when it says the given words. */
  async install(options: InstallOptions = {}): Promise<Installation> {
    const { retry = false, gpu = false, engine, killAt } = options;
    const flags = [...(retry ? ['--retry'] : []), ...(gpu ? ['--gpu'] : [])];
    const child = spawn(process.execPath, ['--input-type=module', '--eval', installer, '--', ...flags], {
      env: {
        PATH: join(this.folder, 'bin'),
        DCGAN_CACHE: this.cache,
        ...(engine !== undefined && { DCGAN_ENGINE: engine }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, so that all of it can be killed at once
    });
    child.stderr.on('data', (line: Buffer) => {
      if (killAt && line.includes(killAt)) process.kill(-(child.pid ?? NaN), 'SIGKILL');
    });
    const ended = once(child, 'exit');
    const [found, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
    await ended;
    return { code: child.exitCode, said, found: found ? (JSON.parse(found) as Provisioned) : undefined };
  }

  async countDownloads(): Promise<number> {
    const log = await readFile(join(this.folder, 'downloads'), 'utf8').catch(() => '');
    return log.split('\n').length - 1;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async addScript(name: string, script: string): Promise<void> {
    const path = join(this.folder, 'bin', name);
    await writeFile(path, `#!/bin/sh\nPATH=/usr/bin:/bin\nbox='${this.folder}'\n${script}\n`);
    await chmod(path, 0o755);
  }
}
