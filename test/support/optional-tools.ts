import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CHROMIUM } from './browser.js';
import { findKustomize } from './kubernetes/kustomize.js';
import { findPyTorch } from './python.js';

interface OptionalTool {
  readonly isInstalled: () => boolean;
  /** Completes "install ...". */
  readonly source: string;
}

/** Tools that some tests use and `npm test` does not install. */
const TOOLS = {
  Chromium: { isInstalled: () => existsSync(CHROMIUM), source: "Debian's package chromium" },
  PyTorch: {
    isInstalled: () => findPyTorch() !== undefined,
    source: "Debian's package python3-torch, or torch and numpy with pip",
  },
  Prometheus: {
    isInstalled: () => spawnSync('promtool', ['--version']).status === 0,
    source: "Debian's package prometheus",
  },
  Kustomize: {
    isInstalled: () => findKustomize() !== undefined,
    source: 'kubectl, or kustomize with go install',
  },
} as const satisfies Record<string, OptionalTool>;

/**
 * The `skip` option of tests that use a tool: false if the machine has it, else the reason, which the test run repeats
 * at its end. Throws if the environment variable CI is set: there, no test may be skipped.
 */
export function skipWithout(name: keyof typeof TOOLS): string | false {
  const tool = TOOLS[name];
  if (tool.isInstalled()) return false;
  const reason = `needs ${name}: install ${tool.source}`;
  if (process.env['CI']) throw new Error(`this test ${reason}`);
  return reason;
}
