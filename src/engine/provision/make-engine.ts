import { rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lock } from '#lock';
import type { BindingSource } from './binding-source.js';
import { compileBinding, findCompiler, LIBRARIES } from './compiler.js';
import { BINDING, writeManifest } from './engine-folder.js';
import { DAY, diskFull, ProvisionFailure, RETRY } from './failure.js';
import { fetchTensorflow } from './fetch-tensorflow.js';
import { findPip } from './pip.js';
import { TENSORFLOW_VERSION, type Target } from './target.js';
import { runTool, type ToolOptions } from './tool.js';
import { makeWorkFolder } from './work-folder.js';

export interface Workshop {
  readonly cache: string;
  readonly engines: string;
  readonly source: BindingSource;
  readonly environment: NodeJS.ProcessEnv;
  readonly lock: Lock;
  readonly log: (line: string) => void;
}

/** Bytes on disk while it is made: wheel and libraries; for GPUs NVIDIA's too, twice while pip unpacks them. */
const ROOM = { cpu: 1.3e9, gpu: 10e9 };
const DOWNLOAD = { cpu: '0.3 GB', gpu: '3 GB' };

/**
 * Makes an engine in a work folder and puts it in its place when it is whole and was seen to load. The folder:
 *
 *     tfjs_binding.node   tfjs-node's binding, compiled here
 *     tensorflow/         TensorFlow's two libraries, of its Python wheel
 *     nvidia/             CUDA and cuDNN, where TensorFlow's libraries look for them; GPU only
 *     engine.json         version, the Python packages it comes from, and the sizes of the files above
 */
export async function makeEngine(target: Target, place: string, workshop: Workshop): Promise<void> {
  const { environment, lock, engines, log, source } = workshop;
  const tools: ToolOptions = { environment, lock };
  // The cheap questions first: a missing compiler should not be found out after the download.
  const pip = await findPip(tools);
  const compiler = await findCompiler(tools);
  const work = await makeWorkFolder(engines);
  try {
    await checkRoom(work, target, workshop.cache);
    log(
      `engine: downloading TensorFlow ${TENSORFLOW_VERSION} (${target.flavour}, ${DOWNLOAD[target.flavour]})`,
    );
    const packages = await fetchTensorflow(pip, target, work, workshop);
    const libraries = join(work, 'tensorflow');
    const headers = join(libraries, 'include');
    log('engine: compiling the binding for Node');
    const binding = join(work, BINDING);
    const paths = { headers, libraries, finalLibraries: join(place, 'tensorflow'), output: binding };
    await compileBinding(compiler, source, paths, tools);
    await checkLoads(binding, tools);
    await rm(headers, { recursive: true, force: true });
    const files = [BINDING, ...LIBRARIES.map((name) => `tensorflow/${name}`)];
    await writeManifest(work, target.flavour, packages, files);
    await rm(place, { recursive: true, force: true }); // one that is not whole
    await rename(work, place);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function checkRoom(folder: string, { flavour }: Target, cache: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < ROOM[flavour]) throw diskFull(cache, ROOM[flavour]);
}

/** Loads the binding in a process of its own: a processor that TensorFlow was not built for kills it. */
async function checkLoads(binding: string, { environment, lock }: ToolOptions): Promise<void> {
  const program = 'process.stdout.write(require(process.argv[1]).TF_Version)';
  const result = await runTool([process.execPath, '-e', program, binding], {
    environment,
    ...(lock && { lock }),
  });
  if (result.code === 0 && result.output === TENSORFLOW_VERSION) return;
  const lines = result.errors.split('\n');
  const cause = result.signal ?? lines.find((line) => line.includes('Error:'))?.trim() ?? result.output;
  throw new ProvisionFailure(`TensorFlow does not load on this machine (${cause})`, RETRY, DAY);
}
