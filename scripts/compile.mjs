import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyProtocol, generateProtocol, isProtocolMissing } from './protocol.mjs';
import { root, runPackageTool } from './tool.mjs';
import { compileWebAssembly } from './web-assembly.mjs';

const stamp = 'inputs.sha256';

/** dist/: what tsc makes of src, test, bench and deploy, made in a folder beside it and renamed when whole. */
export const build = {
  title: 'building',

  async isMissing() {
    const built = await readFile(join(root, 'dist', stamp), 'utf8').catch(() => undefined);
    return built !== (await hashInputs()) || (await isProtocolMissing());
  },

  async make(lock) {
    const inputs = await hashInputs(); // before the build: a file saved meanwhile makes it out of date
    const partial = join(root, 'dist.partial');
    await rm(partial, { recursive: true, force: true });
    await generateProtocol(partial, lock);
    await runPackageTool('tsc', 'typescript/bin/tsc', ['--project', '.', '--outDir', partial], { lock });
    await copyProtocol(partial);
    await copyKernels(partial);
    await compileWebAssembly(partial);
    await buildPage(partial, lock);
    await writeFile(join(partial, stamp), inputs);
    // A whole new folder, so that nothing of a removed source stays.
    await rm(join(root, 'dist'), { recursive: true, force: true });
    await rename(partial, join(root, 'dist'));
  },
};

/** C++ that the engine's installation compiles. */
async function copyKernels(dist) {
  const folder = 'src/engine/native/kernels';
  await cp(join(root, folder), join(dist, folder), { recursive: true });
}

/** The live page: its scripts, which a browser takes as they are, beside what it gets from packages. */
async function buildPage(dist, lock) {
  const page = join(dist, 'page');
  await runPackageTool('tsc', 'typescript/bin/tsc', ['--project', 'src/monitoring/page', '--outDir', page], {
    lock,
  });
  for (const name of ['index.html', 'page.css', 'icon.svg'])
    await cp(join(root, 'src/monitoring/page', name), join(page, name));
  const packages = join(root, 'node_modules');
  await cp(join(packages, 'uplot/dist/uPlot.esm.js'), join(page, 'uplot.js'));
  await cp(join(packages, 'uplot/dist/uPlot.min.css'), join(page, 'uplot.css'));
  await cp(join(packages, 'eventsource-parser/dist/index.js'), join(page, 'eventsource-parser.js'));
}

/** A hash over names and contents of everything the build reads, packages by their lock file. */
async function hashInputs() {
  const hash = createHash('sha256').update(process.versions.node);
  for (const path of [...(await listSources()), 'tsconfig.json', 'package.json', 'package-lock.json']) {
    hash.update(`\0${path}\0`).update(await readFile(join(root, path)));
  }
  return hash.digest('hex');
}

async function listSources() {
  const folders = ['src', 'test', 'bench', 'deploy', 'proto', 'scripts'];
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true });
      return names.map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
    }),
  );
  return lists
    .flat()
    .filter(
      (path) =>
        /(\.(ts|mts|mjs|proto|cc|h|wat|html|css|svg)|\/tsconfig\.json)$/.test(path) &&
        !path.includes('/generated/'),
    )
    .sort();
}
