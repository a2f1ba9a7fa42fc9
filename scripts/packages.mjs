import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, runTool } from './tool.mjs';

export const packages = {
  title: 'installing packages (npm ci)',

  /** npm writes node_modules/.package-lock.json last, so an interrupted install lacks it. */
  async isMissing() {
    const wanted = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const installed = await readFile(join(root, 'node_modules/.package-lock.json'), 'utf8').then(
      JSON.parse,
      () => undefined,
    );
    return installed === undefined || missingPackages(wanted, installed).length > 0;
  },

  async make(lock) {
    // The build needs the development packages, also where NODE_ENV=production leaves them out.
    // Optional packages hold what was compiled for this machine, also where npm's configuration omits them.
    const npmArguments = [
      'ci',
      '--include=dev',
      '--include=optional',
      '--no-fund',
      '--no-audit',
      '--loglevel=error',
    ];
    // On Windows npm is a command file, which only a shell can run.
    await runTool('npm ci', 'npm', npmArguments, { lock, shell: process.platform === 'win32' });
  },
};

/**
 * The paths of the packages that the lock file asks for and that are not installed in the same version, or that lack the
 * one of their optional packages that is compiled for this machine.
 */
export function missingPackages(wanted, installed, machine = process) {
  return Object.entries(wanted.packages)
    .filter(([path, entry]) => path !== '' && !entry.optional && !entry.devOptional && !entry.link)
    .filter(
      ([path, entry]) =>
        installed.packages?.[path]?.version !== entry.version ||
        lacksCompiled(wanted.packages, installed.packages, entry, machine),
    )
    .map(([path]) => path);
}

/** There may be several, for the C libraries of one system: npm installs those that fit. */
function lacksCompiled(wanted, installed, { optionalDependencies = {} }, { platform, arch }) {
  const fitting = Object.keys(optionalDependencies)
    .map((name) => `node_modules/${name}`)
    .filter((path) => wanted[path]?.os?.includes(platform) && wanted[path].cpu?.includes(arch));
  return fitting.length > 0 && !fitting.some((path) => installed[path]?.version === wanted[path].version);
}
