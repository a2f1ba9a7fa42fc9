import { StepFailure } from './tool.mjs';

/** Refuses a Node older than package.json asks for (">=20.9"). */
export function checkNodeVersion(required, actual = process.versions.node) {
  const [, major, minor] = /^>=(\d+)\.(\d+)/.exec(required).map(Number);
  const [actualMajor, actualMinor] = actual.split('.').map(Number);
  if (actualMajor > major || (actualMajor === major && actualMinor >= minor)) return;
  throw new StepFailure(`this needs Node ${major}.${minor} or later, and this is Node ${actual}`);
}
